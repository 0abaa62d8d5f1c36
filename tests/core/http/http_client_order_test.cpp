// What has come is read before a request goes out, also when the end of a proxy's greeting is what lets it go: with
// both ends in one thread it is certain what lies there first.
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "tests/core/http/http_client_fixture.h"

namespace sessionlogd {
namespace {

using asio::ip::tcp;

// Speaks SOCKS 4 and then HTTP, as far as the test makes it.
class HttpClientOrderTest : public HttpClientTest {
 protected:
  HttpClientOrderTest() {
    acceptor_.non_blocking(true);
    EndpointOptions options;
    options.base_url = "http://127.0.0.1:9";
    options.proxy = "socks4://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    endpoint_ = open(options);
  }

  // A connection whose client waits for the end of the greeting.
  tcp::socket greeted() {
    tcp::socket socket(io_);
    boost::system::error_code error = asio::error::would_block;
    run_until([&] {
      acceptor_.accept(socket, error);
      return !error;
    });
    socket.non_blocking(true);
    constexpr std::size_t kGreeting = 9;
    run_until([&] { return socket.available() == kGreeting; });
    EXPECT_EQ(received(socket).size(), kGreeting);
    return socket;
  }

  void let_go(tcp::socket& socket) { write(socket, std::string("\0\x5a\0\0\0\0\0\0", 8)); }

  void write(tcp::socket& socket, const std::string& bytes) { asio::write(socket, asio::buffer(bytes)); }

  std::string received(tcp::socket& socket) {
    std::array<char, 4096> chunk;
    boost::system::error_code error;
    return {chunk.data(), socket.read_some(asio::buffer(chunk), error)};
  }

  // Two requests: one that waits for its response, and one that waits to go out, and could. Nobody has looked for a
  // while.
  void let_go_before_responding(const std::string& with) {
    start(*endpoint_, get("/first"), first_);
    first_connection_.emplace(greeted());
    let_go(*first_connection_);
    std::string request;
    run_until([&] { return (request += received(*first_connection_)).ends_with("\r\n\r\n"); });
    start(*endpoint_, get("/late"), late_);
    late_connection_.emplace(greeted());
    const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(75);
    while (std::chrono::steady_clock::now() < later) std::this_thread::yield();
    let_go(*late_connection_);
    write(*first_connection_, with);
    run_until([&] { return first_.has_value(); });
  }

  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::unique_ptr<Endpoint> endpoint_;
  std::optional<tcp::socket> first_connection_, late_connection_;
  Got first_, late_;
};

TEST_F(HttpClientOrderTest, AWishToWaitThatLiesUnreadHoldsWhatCouldGo) {
  let_go_before_responding(response("{}", {"Retry-After: 7"}, "429 Too Many Requests"));
  EXPECT_EQ((*first_)->status, 429);
  run();
  ASSERT_TRUE(late_->has_error());
  EXPECT_EQ(late_->error().kind, ErrorKind::kCancelled);
  EXPECT_FALSE(late_->error().sent);
  EXPECT_EQ(received(*late_connection_), "");
  EXPECT_EQ(received(*first_connection_), "");
}

TEST_F(HttpClientOrderTest, WhatWasHeldForAnotherResponseGoesBehindIt) {
  let_go_before_responding(response("{}"));
  EXPECT_EQ((*first_)->status, 200);
  EXPECT_EQ(received(*late_connection_), "");
  std::string request;
  run_until([&] { return (request += received(*first_connection_)).ends_with("\r\n\r\n"); });
  EXPECT_TRUE(request.starts_with("GET /late "));
  write(*first_connection_, response("{}"));
  run();
  EXPECT_EQ((*late_)->status, 200);
}

}  // namespace
}  // namespace sessionlogd
