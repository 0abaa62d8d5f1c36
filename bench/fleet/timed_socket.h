// A TCP socket that knows when what it read had come, and when what it wrote went. A client must not be judged by when
// a busy fleet found the time to read its request, so the time is the kernel's: that of the bytes' arrival. As the
// lowest layer of a TLS stream it knows the same of its records.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <utility>

#include "bench/fleet/times.h"

namespace fleet {

// Named executor instead of the type-erased default: it is on the path of every request.
using Executor = boost::asio::io_context::executor_type;
// An operation gives its error beside its result.
inline constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable_t<Executor>());
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

// For a listening socket: its connections tell from their first byte when they got it.
void tell_arrivals(int fd);

class TimedSocket {
 public:
  using executor_type = Executor;
  using lowest_layer_type = Socket::lowest_layer_type;

  explicit TimedSocket(Socket socket) : socket_(std::move(socket)) { socket_.native_non_blocking(true); }

  executor_type get_executor() { return socket_.get_executor(); }
  lowest_layer_type& lowest_layer() { return socket_.lowest_layer(); }
  const lowest_layer_type& lowest_layer() const { return socket_.lowest_layer(); }

  // When the kernel got what was read last.
  Nanos came() const { return came_; }
  // When a write began that the client still waited for, the last such: its end was open, whatever it did right after.
  Nanos awaited() const { return awaited_; }
  // On one machine all that was written lay before the client by then.
  Nanos written() const { return written_; }

  // Whether the client has closed its end, even if there are bytes left to read.
  bool is_left_alone() const;

  // As streams have them; at most kMostBuffers at once.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const auto space = as_parts<boost::asio::mutable_buffer>(buffers);
    return attempt(
        Socket::wait_read, boost::asio::buffer_size(buffers), [this, space] { return receive(space); },
        std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    const auto bytes = as_parts<boost::asio::const_buffer>(buffers);
    return attempt(
        Socket::wait_write, boost::asio::buffer_size(buffers), [this, bytes] { return transmit(bytes); },
        std::forward<Token>(token));
  }

 private:
  static constexpr std::size_t kMostBuffers = 4;
  struct Parts {
    std::array<iovec, kMostBuffers> parts;
    std::size_t count = 0;
  };

  template <class Buffer, class Buffers>
  static Parts as_parts(const Buffers& buffers) {
    Parts all;
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto it = boost::asio::buffer_sequence_begin(buffers); it != end && all.count < kMostBuffers; ++it) {
      const Buffer part(*it);
      all.parts[all.count++] = {const_cast<void*>(static_cast<const void*>(part.data())), part.size()};
    }
    return all;
  }

  // At once if possible, otherwise when the socket is ready.
  template <class Call, class Token>
  auto attempt(Socket::wait_type ready, std::size_t size, Call call, Token&& token) {
    using boost::system::error_code;
    enum class Stage { begins, waits, is_done };
    return boost::asio::async_compose<Token, void(error_code, std::size_t)>(
        [this, ready, size, call, stage = Stage::begins, result = ssize_t{0}, failure = error_code()](
            auto& self, error_code error = {}) mutable {
          if (stage == Stage::is_done) return self.complete(failure, result > 0 ? static_cast<std::size_t>(result) : 0);
          if (error) return self.complete(error, 0);
          // A TLS stream asks for no bytes when it wants to be called back and nothing else.
          if (size > 0) result = call();
          if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            stage = Stage::waits;
            socket_.async_wait(ready, std::move(self));
            return;
          }
          if (result < 0) failure = error_code(errno, boost::system::system_category());
          if (result == 0 && size > 0 && ready == Socket::wait_read) failure = boost::asio::error::eof;
          // Never from within the call that asked for it.
          if (std::exchange(stage, Stage::is_done) == Stage::begins) {
            boost::asio::post(socket_.get_executor(), std::move(self));
          } else {
            self.complete(failure, result > 0 ? static_cast<std::size_t>(result) : 0);
          }
        },
        token, socket_);
  }

  ssize_t receive(Parts space);
  ssize_t transmit(Parts bytes);

  Socket socket_;
  Nanos came_ = 0;
  Nanos awaited_ = 0;
  Nanos written_ = 0;
};

}  // namespace fleet
