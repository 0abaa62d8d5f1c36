#include "bench/fleet/control.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/write.hpp>

#include "bench/fleet/http.h"

namespace fleet {

namespace asio = boost::asio;

Awaitable<void> serve_control(Acceptor acceptor, std::function<std::string()> say) {
  while (true) {
    auto [error, socket] = co_await acceptor.async_accept(kAwait);
    if (error == asio::error::operation_aborted) co_return;
    if (error) continue;
    std::array<char, 4096> chunk;
    const auto space = asio::buffer(chunk);
    const auto [unread, size] = co_await socket.async_read_some(space, kAwait);
    if (unread) continue;
    const std::string body = say();
    const std::string response = fmt::format(
        "HTTP/1.1 200 OK\r\nDate: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: "
        "close\r\n\r\n{}",
        http_date(now()), body.size(), body);
    const auto text = asio::buffer(response);
    co_await asio::async_write(socket, text, kAwait);
  }
}

}  // namespace fleet
