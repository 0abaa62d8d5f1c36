// An HTTP server inside a test: its own thread, a free port on 127.0.0.1, and a lambda that says what each request
// gets, down to the last byte, so that it can misbehave.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sessionlogd::test {

// A self-signed certificate for some names ("DNS:name", "IP:address"), made anew. It began an hour ago.
struct Certificate {
  std::string certificate_pem;
  std::string key_pem;
  std::string pin;  // base64 of its SPKI's SHA-256

  explicit Certificate(const std::string& names, std::chrono::seconds ends_in = std::chrono::hours{24});
};

// Writes `text` into a file of its own that is removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TestServer {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;

  struct Reply {
    enum class Then { kKeepAlive, kClose, kReset, kSilence };  // kSilence: hold the connection, say nothing more

    std::string bytes;  // as they go out, status line and all
    Then then = Then::kKeepAlive;
    std::string held_back;  // sent after `bytes`, once let_go() was called

    Reply(std::string b, Then t = Then::kKeepAlive, std::string h = {})
        : bytes(std::move(b)), then(t), held_back(std::move(h)) {}
  };

  // Called on the server's thread, one request at a time.
  using Handler = std::function<Reply(const Request&)>;

  struct Tls {
    Certificate certificate;
    std::string client_ca_pem;  // not empty: a client certificate signed by it is required
  };

  explicit TestServer(Handler handler);
  TestServer(Handler handler, const Tls& tls);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  unsigned short port() const { return acceptor_.local_endpoint().port(); }
  std::string url() const;
  int connections() const { return connections_; }
  int requests() const { return requests_; }
  int written() const { return written_; }  // replies handed to the system, without what is held back
  std::string last_sni() const;             // call it between requests only

  void let_go();

 private:
  void start();
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve_plain(boost::asio::ip::tcp::socket socket);
  boost::asio::awaitable<void> serve_tls(boost::asio::ip::tcp::socket socket);
  template <class Stream>
  boost::asio::awaitable<void> serve(Stream& stream);

  Handler handler_;
  boost::asio::io_context io_{1};
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_server};
  bool with_tls_ = false;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer gate_;
  bool gate_open_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<int> requests_ = 0;
  std::atomic<int> written_ = 0;
  std::string sni_;
  std::thread thread_;
};

// "HTTP/1.1 200 OK", Content-Length and the given header lines.
std::string response(std::string_view body, const std::vector<std::string>& headers = {},
                     std::string_view status = "200 OK");

std::string gzip(std::string_view text);

}  // namespace sessionlogd::test
