#include "daemon/commands/admin_client.h"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/version.hpp>
#include <chrono>

namespace sessionlogd {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::chrono::seconds kMayTake{10};
constexpr std::uint64_t kLargestResponse = 1u << 30;

asio::generic::stream_protocol::endpoint endpoint_of(const AdminAddress& address) {
  if (!address.socket.empty()) return asio::local::stream_protocol::endpoint(address.socket);
  return asio::ip::tcp::endpoint(asio::ip::make_address(address.host), address.port);
}

}  // namespace

Result<std::string> ask_admin(const AdminAddress& address, std::string_view path) {
  asio::io_context io{1};
  asio::generic::stream_protocol::socket socket(io);
  http::request<http::empty_body> request(http::verb::get, path, 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "close");
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kLargestResponse);
  error_code outcome = asio::error::timed_out;
  const auto then = [&](auto next) {
    return [&outcome, next](const error_code& error, auto...) {
      if (error) {
        outcome = error;
      } else {
        next();
      }
    };
  };
  const auto done = [&] { outcome = {}; };
  const auto read = [&] { http::async_read(socket, buffer, parser, then(done)); };
  const auto write = [&] { http::async_write(socket, request, then(read)); };
  socket.async_connect(endpoint_of(address), then(write));
  io.run_for(kMayTake);
  if (outcome) return Error(ErrorKind::kTryLater, outcome.message());
  return std::move(parser.get().body());
}

}  // namespace sessionlogd
