#include "tests/support/test_proxy.h"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <utility>

namespace sessionlogd::test {
namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

using SharedSocket = std::shared_ptr<tcp::socket>;

// "CONNECT host:port HTTP/1.1" or "GET http://host:port/path HTTP/1.1"; addresses only.
tcp::endpoint target_of(const std::string& head) {
  std::size_t begin = head.find(' ') + 1;
  if (head.compare(begin, 7, "http://") == 0) begin += 7;
  const std::size_t colon = head.find(':', begin);
  return {asio::ip::make_address(head.substr(begin, colon - begin)),
          static_cast<unsigned short>(std::stoi(head.substr(colon + 1)))};
}

// Until one side has nothing more to say.
asio::awaitable<void> relay(SharedSocket from, SharedSocket to) {
  std::array<char, 4096> some;
  boost::system::error_code failed;
  auto token = asio::redirect_error(use_awaitable, failed);
  while (!failed) {
    const std::size_t size = co_await from->async_read_some(asio::buffer(some), token);
    if (!failed) co_await asio::async_write(*to, asio::buffer(some, size), token);
  }
  boost::system::error_code ignored;
  to->shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

TestProxy::TestProxy() : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
  asio::co_spawn(io_, accept(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
}

TestProxy::~TestProxy() {
  io_.stop();
  thread_.join();
}

std::string TestProxy::url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

std::vector<std::string> TestProxy::heads() const {
  const std::scoped_lock lock(mutex_);
  return heads_;
}

asio::awaitable<void> TestProxy::accept() {
  for (;;) {
    tcp::socket client = co_await acceptor_.async_accept(use_awaitable);
    asio::co_spawn(io_, serve(std::move(client)), asio::detached);
  }
}

asio::awaitable<void> TestProxy::serve(tcp::socket socket) {
  auto client = std::make_shared<tcp::socket>(std::move(socket));
  auto server = std::make_shared<tcp::socket>(io_);
  std::string received;
  boost::system::error_code failed;
  auto token = asio::redirect_error(use_awaitable, failed);
  const std::size_t size = co_await asio::async_read_until(*client, asio::dynamic_buffer(received), "\r\n\r\n", token);
  if (failed) co_return;
  const std::string head = received.substr(0, size);
  {
    const std::scoped_lock lock(mutex_);
    heads_.push_back(head);
  }
  const tcp::endpoint target = target_of(head);
  co_await server->async_connect(target, token);
  if (failed) co_return;
  const bool is_tunnel = head.starts_with("CONNECT ");
  const std::string first = is_tunnel ? "HTTP/1.1 200 Connection established\r\n\r\n" : received;
  co_await asio::async_write(is_tunnel ? *client : *server, asio::buffer(first), token);
  if (failed) co_return;
  asio::co_spawn(io_, relay(server, client), asio::detached);
  co_await relay(client, server);
}

}  // namespace sessionlogd::test
