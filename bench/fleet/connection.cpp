#include "bench/fleet/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>

#include "bench/fleet/http.h"
#include "bench/fleet/times.h"

namespace fleet {

namespace asio = boost::asio;

namespace {

using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
using TlsStream = asio::ssl::stream<TimedSocket>;

constexpr std::size_t kReadBuffer = 16 * 1024;
constexpr std::chrono::milliseconds kHang{5000};
constexpr std::chrono::milliseconds kDribble{50};
constexpr std::size_t kDribbles = 20;
constexpr std::chrono::milliseconds kTrickle{200};
constexpr std::size_t kTrickled = 300;  // a minute's worth
constexpr std::size_t kGush = 64 * 1024;
constexpr std::size_t kGushed = 1024u << 20;

// One formatted date serves a whole second of responses.
std::string_view date_of(Nanos at) {
  thread_local Nanos second = -1;
  thread_local std::string text;
  if (at / kSecond != second) {
    second = at / kSecond;
    text = http_date(at);
  }
  return text;
}

void write_head(std::string& head, const Response& response, Nanos at) {
  head.clear();
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\nDate: {}\r\nServer: fleet\r\n", response.status,
                 reason_phrase(response.status), response.date.empty() ? date_of(at) : std::string_view(response.date));
  if (response.body) {
    fmt::format_to(std::back_inserter(head), "Content-Type: {}\r\n", response.content_type);
    response.fault == Fault::huge
        ? void(head += "Transfer-Encoding: chunked\r\n")
        : void(fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n",
                              static_cast<std::ptrdiff_t>(response.body->size()) + response.length_is_off_by));
  }
  head += response.headers;
  head += "\r\n";
}

// The sentence in progress: whether the connection may be used for another one, and whether all of this one went out.
enum class Outcome { said, said_and_over, broken };

template <class Stream>
class Conversation {
 public:
  // `socket` carries `stream`, or is it.
  Conversation(Stream& stream, TimedSocket& socket, Appliance& appliance)
      : stream_(stream), socket_(socket), appliance_(appliance), timer_(stream.get_executor()) {
    boost::system::error_code ignored;
    const auto from = socket_.lowest_layer().remote_endpoint(ignored);
    const auto to = socket_.lowest_layer().local_endpoint(ignored);
    from_port_ = from.port();
    to_port_ = to.port();
    visitor_ = {from.address().to_v4().to_uint(), to.address().to_v4().to_uint()};
  }

  Awaitable<void> run() {
    while (true) {
      Request request;
      std::size_t used = 0;
      Progress progress = read_request(received_, request, used);
      while (progress == Progress::incomplete) {
        if (!co_await read_more()) co_return;
        progress = read_request(received_, request, used);
      }
      if (progress == Progress::malformed) co_return;
      request.arrived = waits_ = came_;
      request.number = ++requests_;
      request.from_port = from_port_;
      request.to_port = to_port_;
      request.visitor = visitor_;
      const Nanos at = now();
      if (appliance_.is_down(at)) {
        reset_on_close();
        co_return;
      }
      const Response response = appliance_.response(request, at);
      const bool keep = request.keep_alive;
      write_head(head_, response, appliance_.clock(at));
      const Outcome outcome = co_await deliver(response);
      appliance_.finished(response, {outcome != Outcome::broken, std::max(waits_, socket_.awaited()),
                                     socket_.awaited() > came_ ? socket_.written() : kNever});
      if (outcome != Outcome::said || !keep) co_return;
      received_.erase(0, used);
    }
  }

 private:
  Awaitable<bool> read_more() {
    const auto space = asio::buffer(chunk_);
    const auto [error, size] = co_await stream_.async_read_some(space, kAwait);
    if (error) co_return false;
    if (received_.empty()) came_ = socket_.came();
    received_.append(chunk_.data(), size);
    co_return true;
  }

  Awaitable<Outcome> deliver(const Response& response) {
    const std::string_view body = response.body ? std::string_view(*response.body) : std::string_view();
    switch (response.fault) {
      case Fault::hang:
        co_await wait_in_vain();
        co_return Outcome::broken;
      case Fault::reset:
      case Fault::truncate: {
        co_await send(body.substr(0, body.size() / 2));
        if (response.fault == Fault::reset) reset_on_close();
        co_return Outcome::broken;
      }
      case Fault::slow:
        co_return co_await dribble(body);
      case Fault::loris:
        co_await trickle(body);
        co_return Outcome::broken;
      case Fault::huge:
        co_await gush(body);
        co_return Outcome::broken;
      case Fault::http09:
        head_.clear();
        [[fallthrough]];
      case Fault::wrong_length:
        co_await send(body);
        co_return Outcome::broken;
      default:
        co_return co_await send(body) ? Outcome::said : Outcome::broken;
    }
  }

  // Head and body in one write.
  Awaitable<bool> send(std::string_view body) {
    const std::array<asio::const_buffer, 2> both = {asio::buffer(head_), asio::buffer(body)};
    const auto [error, size] = co_await asio::async_write(stream_, both, kAwait);
    co_return !error;
  }

  Awaitable<Outcome> dribble(std::string_view body) {
    if (!co_await send({})) co_return Outcome::broken;
    const std::size_t piece = body.size() / kDribbles + 1;
    while (!body.empty()) {
      co_await pause(kDribble);
      const auto part = asio::buffer(body.substr(0, piece));
      const auto [error, size] = co_await asio::async_write(stream_, part, kAwait);
      if (error) co_return Outcome::broken;
      body.remove_prefix(size);
    }
    co_return Outcome::said;
  }

  // One byte at a time, until the client gives up.
  Awaitable<void> trickle(std::string_view body) {
    const std::string all = head_ + std::string(body.substr(0, kTrickled));
    for (const char& byte : all) {
      const auto one = asio::buffer(&byte, 1);
      const auto [error, size] = co_await asio::async_write(stream_, one, kAwait);
      if (error || client_stirs()) co_return;
      co_await pause(kTrickle);
    }
  }

  // The body without its end, and blanks for ever after, as far as we care to go.
  Awaitable<void> gush(std::string_view body) {
    static const std::string blanks = fmt::format("{:x}\r\n{}\r\n", kGush, std::string(kGush, ' '));
    if (!body.empty()) body.remove_suffix(1);
    head_ += fmt::format("{:x}\r\n{}\r\n", body.size(), body);
    if (body.empty() || !co_await send({})) co_return;
    for (std::size_t sent = 0; sent < kGushed; sent += kGush) {
      const auto part = asio::buffer(blanks);
      const auto [error, size] = co_await asio::async_write(stream_, part, kAwait);
      if (error) co_return;
    }
  }

  // No response, until our time is over or the client gives up: from then on it is not in flight any more.
  Awaitable<void> wait_in_vain() {
    for (auto waited = kDribble; waited < kHang; waited += kDribble) {
      const Nanos at = now();
      if (client_stirs()) co_return;
      if (!socket_.is_left_alone()) waits_ = at;
      co_await pause(kDribble);
    }
  }

  // A client that waits for a response says nothing; its end of the connection, or of TLS, shows as something to read.
  bool client_stirs() {
    char byte;
    const auto got = ::recv(stream_.lowest_layer().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  Awaitable<void> pause(std::chrono::steady_clock::duration span) {
    timer_.expires_after(span);
    co_await timer_.async_wait(kAwait);
  }

  void reset_on_close() {
    boost::system::error_code ignored;
    const asio::socket_base::linger at_once(true, 0);
    stream_.lowest_layer().set_option(at_once, ignored);
  }

  Stream& stream_;
  TimedSocket& socket_;
  Appliance& appliance_;
  Timer timer_;
  std::array<char, kReadBuffer> chunk_;
  std::string received_;
  std::string head_;
  std::uint64_t requests_ = 0;
  std::uint16_t from_port_ = 0, to_port_ = 0;
  Visitor visitor_;
  Nanos came_ = 0;   // the first byte of a request
  Nanos waits_ = 0;  // when the client was last known to wait for a response of which nothing was written
};

}  // namespace

Awaitable<void> converse(Socket socket, Appliance& appliance, asio::ssl::context* tls) {
  boost::system::error_code ignored;
  const asio::ip::tcp::no_delay no_delay(true);
  socket.set_option(no_delay, ignored);
  if (tls == nullptr) {
    TimedSocket stream(std::move(socket));
    Conversation<TimedSocket> conversation(stream, stream, appliance);
    co_await conversation.run();
    co_return;
  }
  TlsStream stream(TimedSocket(std::move(socket)), *tls);
  const auto [error] = co_await stream.async_handshake(TlsStream::server, kAwait);
  if (error) co_return;
  Conversation<TlsStream> conversation(stream, stream.next_layer(), appliance);
  co_await conversation.run();
}

Awaitable<void> keep_silent(Socket socket) {
  std::array<char, 1024> chunk;
  const auto space = asio::buffer(chunk);
  while (true) {
    const auto [error, size] = co_await socket.async_read_some(space, kAwait);
    if (error) co_return;
  }
}

}  // namespace fleet
