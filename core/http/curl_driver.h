// Runs curl's transfers on an io_context: the plumbing between one curl multi and Asio.
//
//   curl's socket callback ─▶ epoll set ─▶ one stream_descriptor ─▶ curl_multi_socket_action
//   curl's timer callback  ─▶ one timer, or a post for 0          ─▶ curl_multi_socket_action
//
// Before each request is sent, what has come by then is read: a response may ask to be left alone. Where that cannot be
// done in time, since curl sends when its turn is there, a transfer asks whether a response lies unread, and starts
// over.
//
// A turn is bounded in time. Transfers that take it and bring nothing are ended: from time to time what came over the
// wire is compared with what came of it.
//
// All sockets of the multi sit in an epoll set of their own and Asio waits for that set. Beside one descriptor per
// socket this saves the epoll_ctl calls of every request (a kept-alive connection stays in the set between requests)
// and leaves no completion per socket that could come too late. libcurl opens and closes its sockets through us, so
// that a number used again is never mistaken for the socket that had it before: each event carries the generation it
// was asked for by.
//
// No method may be called from inside one of curl's callbacks. Not thread-safe.
#pragma once

#include <curl/curl.h>
#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/async/task.h"
#include "core/http/name_lookups.h"

namespace sessionlogd {

class CurlDriver : public std::enable_shared_from_this<CurlDriver> {
 public:
  // One request's part in this: told once how it ended, outside of curl's callbacks, with its handle already out of the
  // multi.
  class Transfer {
   public:
    virtual void finished(CURLcode how) noexcept = 0;

    // Whom it has asked something, as long as the head of the response is not read; else null.
    virtual const void* awaits() const noexcept = 0;

    // Bytes of its response, head and body, so far.
    virtual std::uint64_t answered() const noexcept = 0;

    // Far more has come over the wire than its response is made of. finished() follows at once.
    virtual void came_to_nothing() noexcept = 0;

   protected:
    ~Transfer() = default;
  };

  // The io_context outlives the driver's stop().
  CurlDriver(boost::asio::io_context& io, std::size_t most_connections);
  ~CurlDriver();
  CurlDriver(const CurlDriver&) = delete;
  CurlDriver& operator=(const CurlDriver&) = delete;

  // Once per easy handle, before its first start().
  void adopt(CURL* easy, Transfer& transfer);

  // From here on the transfer runs, until finished() or remove(). False: nothing can be started any more.
  bool start(CURL* easy);
  void remove(CURL* easy);

  // Whether something may have come in response to a transfer that awaits `whom`, and is not read. For curl's
  // callbacks, too.
  bool lies_unread(const void* whom);

  // Goes on with a transfer whose write callback paused it. An error means it must be removed: finished() does not
  // follow.
  CURLcode resume(CURL* easy);

  // Of all transfers. Whether one may begin.
  bool begin_lookup(NameLookups::Standing name);
  NameLookups& lookups() { return lookups_; }

  // Closes every connection. Nothing may be running any more; nothing can be started afterwards.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Socket {
    Transfer* transfer = nullptr;  // as long as curl wants something of it
    CURL* easy = nullptr;          // of that transfer
    std::uint32_t generation = 0;
    std::uint16_t wanted = 0;      // what curl asked for last, as EPOLLIN | EPOLLOUT
    std::uint16_t registered = 0;  // what the epoll set has
    bool ours = false;             // opened through open_socket(), so we shall learn of its end
    // When the wire was first compared with the response, in bytes.
    bool compared = false;
    std::int64_t wire_before = 0, answered_before = 0;
  };
  using Events = std::array<epoll_event, 512>;
  static constexpr auto kNever = Clock::time_point::max();

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int close_socket(void* self, curl_socket_t fd);
  static int socket_wanted(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int timer_wanted(CURLM* multi, long timeout_ms, void* self);

  Socket& socket(int fd);
  void forget(int fd);
  void update(int fd, Socket& socket);
  void wait_for_events();
  void on_events();
  enum class Which { kReadable, kAll };
  struct Seen {
    bool readable = false, writable_only = false;
  };
  Seen look(Which which);
  void read_all();
  void schedule_timer();
  void post_turn();
  void on_turn();
  void start_next();
  void act(curl_socket_t fd, int what);
  void end_what_brings_nothing();
  static bool brings_nothing(int fd, Socket& socket);
  void end(CURL* easy, CURLcode how);
  static Transfer* transfer_of(CURL* easy);
  void transfer_left();

  boost::asio::io_context& io_;
  boost::asio::posix::stream_descriptor epoll_;
  Timer timer_;
  CURLM* multi_;
  std::vector<Socket> sockets_;  // by file descriptor
  std::deque<CURL*> waiting_to_start_;
  Events events_;
  NameLookups lookups_;
  std::size_t running_ = 0;
  Clock::duration spent_{};              // inside curl, since transfers were last compared
  std::size_t compared_up_to_ = 0;       // of sockets_
  Clock::time_point read_up_to_{};       // what had come by then is read
  Clock::time_point deadline_ = kNever;  // when curl wants to be called next
  Clock::time_point timer_at_ = kNever;  // what timer_ waits for: never later than deadline_
  std::uint64_t timer_generation_ = 0;
  bool waiting_ = false;
  bool turn_posted_ = false;
  bool stopped_ = false;
  bool inside_curl_ = false;
};

}  // namespace sessionlogd
