#include "config/tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace sessionlogd {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// Never the terminal: nobody is there to answer, and an empty pass phrase is what curl is given, too.
int no_pass_phrase(char*, int, int, void*) { return 0; }

// The first error is what OpenSSL met; those behind it say through which calls it came.
std::string take_reason() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  const int library = ERR_GET_LIB(first), reason = ERR_GET_REASON(first);
  const bool nothing_decoded = library == ERR_LIB_OSSL_DECODER && reason == ERR_R_UNSUPPORTED;
  if (nothing_decoded || (library == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE)) {
    return "it holds nothing of this kind in PEM form";
  }
  if (library == ERR_LIB_X509 && reason == X509_R_NO_CERTIFICATE_OR_CRL_FOUND) {
    return "it holds no certificate in PEM form";
  }
  if (library == ERR_LIB_X509 && reason == X509_R_KEY_VALUES_MISMATCH) return "its key is not that of the certificate";
  if (library == ERR_LIB_PEM && (reason == PEM_R_BAD_PASSWORD_READ || reason == PEM_R_PROBLEMS_GETTING_PASSWORD)) {
    return "its key is encrypted, and nobody is there to type the pass phrase";
  }
  const char* words = ERR_reason_error_string(first);
  return words != nullptr ? words : "OpenSSL cannot use it";
}

}  // namespace

std::vector<TlsFileFault> find_tls_file_faults(const std::string& ca_file, const std::string& cert_file,
                                               const std::string& key_file) {
  std::vector<TlsFileFault> faults;
  if (ca_file.empty() && cert_file.empty() && key_file.empty()) return faults;
  const Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (!context) return {{"ca_file", "OpenSSL: " + take_reason()}};
  SSL_CTX_set_default_passwd_cb(context.get(), &no_pass_phrase);
  ERR_clear_error();

  const auto judge = [&](std::string_view key, int accepted) {
    if (accepted != 1) faults.push_back({key, take_reason()});
    return accepted == 1;
  };
  if (!ca_file.empty()) judge("ca_file", SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr));
  if (cert_file.empty()) {
    if (!key_file.empty()) faults.push_back({"key_file", "there is no cert_file in addition to it"});
    return faults;
  }
  if (!judge("cert_file", SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()))) return faults;
  const std::string& key = key_file.empty() ? cert_file : key_file;
  // That it is the certificate's is looked at here, too.
  judge("key_file", SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM));
  return faults;
}

}  // namespace sessionlogd
