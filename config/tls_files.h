// The certificate and key files that a source's [tls] names, judged by OpenSSL: when the configuration is loaded, and
// again when they are opened for use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sessionlogd {

struct TlsFileFault {
  std::string_view key;  // of [tls]: "ca_file", "cert_file", "key_file"
  std::string why;       // "no certificate in PEM form is in it"
};

// What OpenSSL cannot use of these files. An empty name is one that is not given; key_file "" = the key is in
// cert_file. Asks nobody for a pass phrase.
std::vector<TlsFileFault> find_tls_file_faults(const std::string& ca_file, const std::string& cert_file,
                                               const std::string& key_file);

}  // namespace sessionlogd
