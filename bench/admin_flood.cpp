// Leans on a daemon's admin address, as nobody should: so many connections that say nothing, half a request, or
// garbage, and come again whenever they are ended. `admin_flood PORT CONNECTIONS SECONDS`.
#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

const std::array<std::string, 3> kSaid = {"", "GET /metrics HTTP/1.1\r\nHost: loc", "\x16\x03\x01\x02 garbage\r\n\r\n"};

asio::awaitable<void> lean(asio::io_context& io, tcp::endpoint there, const std::string& said, std::uint64_t& begun) {
  std::array<char, 512> heard;
  for (;;) {
    tcp::socket socket(io);
    const auto [refused] = co_await socket.async_connect(there, kAwait);
    if (!refused) {
      ++begun;
      const auto words = asio::buffer(said);
      if (!said.empty()) co_await asio::async_write(socket, words, kAwait);
      for (bool open = true; open;) {
        const auto space = asio::buffer(heard);
        const auto [ended, size] = co_await socket.async_read_some(space, kAwait);
        open = !ended && size > 0;
      }
    }
    asio::steady_timer pause(io, std::chrono::milliseconds{10});
    co_await pause.async_wait(kAwait);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "admin_flood PORT CONNECTIONS SECONDS\n");
    return 2;
  }
  const tcp::endpoint there(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(argv[1])));
  const auto connections = static_cast<std::size_t>(std::atoi(argv[2]));
  asio::io_context io{1};
  std::uint64_t begun = 0;
  for (std::size_t i = 0; i < connections; ++i)
    asio::co_spawn(io, lean(io, there, kSaid[i % kSaid.size()], begun), asio::detached);
  io.run_for(std::chrono::seconds(std::atoi(argv[3])));
  fmt::print("{} connections begun\n", begun);
  return 0;
}
