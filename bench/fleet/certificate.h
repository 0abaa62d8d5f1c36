// A certificate authority made at start, and one server certificate for the loopback address, so that clients can
// verify TLS.
#pragma once

#include <string>

namespace fleet {

struct Certificates {
  std::string ca_pem;      // what a client trusts
  std::string server_pem;  // certificate
  std::string key_pem;     // its key
};

// Valid for 127.0.0.1 and "localhost", for two days. Throws std::runtime_error when OpenSSL fails.
Certificates make_certificates();

}  // namespace fleet
