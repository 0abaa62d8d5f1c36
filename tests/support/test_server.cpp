#include "tests/support/test_server.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>

namespace sessionlogd::test {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

template <class Write>
std::string to_pem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  write(memory.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string pin_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(X509_get0_pubkey(certificate), &der);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(der, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(der);
  std::array<unsigned char, 64> base64;
  EVP_EncodeBlock(base64.data(), digest.data(), digest.size());
  return reinterpret_cast<const char*>(base64.data());
}

tcp::socket& socket_of(tcp::socket& socket) { return socket; }
tcp::socket& socket_of(asio::ssl::stream<tcp::socket>& stream) { return stream.next_layer(); }

}  // namespace

Certificate::Certificate(const std::string& names, std::chrono::seconds ends_in) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(ends_in.count()));
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  certificate_pem = to_pem([&](BIO* out) { PEM_write_bio_X509(out, certificate.get()); });
  key_pem = to_pem([&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  pin = pin_of(certificate.get());
}

TemporaryFile::TemporaryFile(std::string_view text) {
  const char* directory = std::getenv("TMPDIR");
  path_ = std::string(directory != nullptr ? directory : "/tmp") + "/sessionlogd-test-XXXXXX";
  const int fd = ::mkstemp(path_.data());
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("cannot write " + path_);
  ::close(fd);
}

TemporaryFile::~TemporaryFile() { ::unlink(path_.c_str()); }

TestServer::TestServer(Handler handler)
    : handler_(std::move(handler)),
      acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
      gate_(io_, asio::steady_timer::time_point::max()) {
  start();
}

TestServer::TestServer(Handler handler, const Tls& tls)
    : handler_(std::move(handler)),
      with_tls_(true),
      acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
      gate_(io_, asio::steady_timer::time_point::max()) {
  tls_.use_certificate_chain(asio::buffer(tls.certificate.certificate_pem));
  tls_.use_private_key(asio::buffer(tls.certificate.key_pem), asio::ssl::context::pem);
  if (!tls.client_ca_pem.empty()) {
    tls_.add_certificate_authority(asio::buffer(tls.client_ca_pem));
    tls_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  }
  start();
}

TestServer::~TestServer() {
  io_.stop();
  thread_.join();
}

std::string TestServer::url() const {
  return (with_tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port());
}

std::string TestServer::last_sni() const { return sni_; }

void TestServer::let_go() {
  asio::post(io_, [this] {
    gate_open_ = true;
    gate_.cancel();
  });
}

void TestServer::start() {
  acceptor_.listen(4096);
  asio::co_spawn(io_, accept(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
}

asio::awaitable<void> TestServer::accept() {
  for (;;) {
    tcp::socket socket = co_await acceptor_.async_accept(use_awaitable);
    socket.set_option(tcp::no_delay(true));
    ++connections_;
    asio::co_spawn(io_, with_tls_ ? serve_tls(std::move(socket)) : serve_plain(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> TestServer::serve_plain(tcp::socket socket) { co_await serve(socket); }

asio::awaitable<void> TestServer::serve_tls(tcp::socket socket) {
  asio::ssl::stream<tcp::socket> stream(std::move(socket), tls_);
  boost::system::error_code failed;
  co_await stream.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(use_awaitable, failed));
  if (failed) co_return;
  const char* name = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
  sni_ = name != nullptr ? name : "";
  co_await serve(stream);
}

template <class Stream>
asio::awaitable<void> TestServer::serve(Stream& stream) {
  boost::beast::flat_buffer buffer;
  boost::system::error_code failed;
  auto token = asio::redirect_error(use_awaitable, failed);
  for (;;) {
    Request request;
    co_await http::async_read(stream, buffer, request, token);
    if (failed) co_return;
    ++requests_;
    const Reply reply = handler_(request);
    co_await asio::async_write(stream, asio::buffer(reply.bytes), token);
    if (failed) co_return;
    ++written_;
    if (!reply.held_back.empty()) {
      if (!gate_open_) co_await gate_.async_wait(token);
      co_await asio::async_write(stream, asio::buffer(reply.held_back), token);
      if (failed) co_return;
    }
    switch (reply.then) {
      case Reply::Then::kKeepAlive:
        break;
      case Reply::Then::kClose:
        co_return;
      case Reply::Then::kReset:
        socket_of(stream).set_option(asio::socket_base::linger(true, 0));
        socket_of(stream).close();  // the destructor would undo the option first
        co_return;
      case Reply::Then::kSilence: {
        std::array<char, 64> ignored;
        while (!failed) co_await stream.async_read_some(asio::buffer(ignored), token);
        co_return;
      }
    }
  }
}

std::string response(std::string_view body, const std::vector<std::string>& headers, std::string_view status) {
  std::string text = "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  for (const std::string& header : headers) text += header + "\r\n";
  return text.append("\r\n").append(body);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace sessionlogd::test
