// What the other side of a TLS handshake presented, kept for the words of an error and for the certificate's end. Trust
// is decided by libcurl and OpenSSL, not here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sessionlogd {

struct PeerCertificate {
  std::string pin;                      // base64 of the SHA-256 of its SPKI, as pin_sha256 takes it; "" = none seen
  std::optional<std::int64_t> expires;  // Unix seconds
  bool distrusted = false;              // at the last try: the file of CA certificates is read anew for the next one
};

// Makes every handshake of this SSL_CTX (an OpenSSL handle, as CURLOPT_SSL_CTX_FUNCTION gives it) write what it was
// shown into `into`, which the SSL_CTX then owns a share of, since connections outlive requests and endpoints.
// Verification is unchanged.
bool note_peer_certificate(void* ssl_ctx, std::shared_ptr<PeerCertificate> into);

bool is_pin(std::string_view text);

}  // namespace sessionlogd
