#include "core/http/peer_certificate.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>

namespace sessionlogd {
namespace {

using Shared = std::shared_ptr<PeerCertificate>;

void free_shared(void*, void* shared, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Shared*>(shared); }

int shared_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_shared);
  return index;
}

std::string spki_sha256(X509* certificate) {
  unsigned char* spki = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  if (size <= 0) return {};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(spki, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(spki);
  std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> base64;
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), digest.size());
  return std::string(reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(length));
}

std::optional<std::int64_t> end_of(X509* certificate) {
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return std::nullopt;
  return timegm(&end);
}

// Called for each certificate of the chain, the server's own last; after the first fault only for that.
int on_verified(int ok, X509_STORE_CTX* store) noexcept {
  try {
    if (ok && X509_STORE_CTX_get_error_depth(store) != 0) return ok;
    const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    X509* certificate = X509_STORE_CTX_get0_cert(store);
    if (ssl == nullptr || certificate == nullptr) return ok;
    const auto* shared = static_cast<Shared*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), shared_index()));
    if (shared == nullptr) return ok;
    (*shared)->pin = spki_sha256(certificate);
    (*shared)->expires = end_of(certificate);
  } catch (...) {
    // Out of memory: the error will lack the pin.
  }
  return ok;
}

}  // namespace

bool note_peer_certificate(void* ssl_ctx, std::shared_ptr<PeerCertificate> into) {
  auto* context = static_cast<SSL_CTX*>(ssl_ctx);
  auto shared = std::make_unique<Shared>(std::move(into));
  if (SSL_CTX_set_ex_data(context, shared_index(), shared.get()) != 1) return false;
  shared.release();
  SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), &on_verified);
  return true;
}

bool is_pin(std::string_view text) {
  std::array<unsigned char, 33> decoded;
  if (text.size() != 44 || text[43] != '=' || text[42] == '=') return false;
  return EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(text.data()), 44) == 33;
}

}  // namespace sessionlogd
