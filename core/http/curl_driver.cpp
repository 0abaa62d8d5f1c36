#include "core/http/curl_driver.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/http/threads_of_this_name.h"

namespace sessionlogd {
namespace {

// Looks at the sockets in a row: nothing that comes without end may keep us from sending.
constexpr int kMostLooks = 16;

// A look takes no longer than this, if nothing unusual happens.
constexpr std::chrono::milliseconds kMoment{50};

// After so long others get their turn: what is left shows again.
constexpr std::chrono::milliseconds kLongestTurn{20};

// After so long inside curl some transfers are compared, which takes a microsecond or two for each.
constexpr std::chrono::milliseconds kCompareAfter{10};
constexpr std::size_t kMostCompared = 64, kMostLookedThrough = 4096;

// The wire may bring so many times what the response is made of, and so many bytes more: TLS, small chunks. Extensions
// of chunks without end, or chunks of a byte, bring nothing and would cost a shard its time.
constexpr std::int64_t kMostPerByte = 4, kMostForNothing = 1u << 20;

// What the kernel says of a socket, as far as glibc's tcp_info does not have it.
struct TcpInfo {
  std::array<char, 104> of_before;
  std::uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
};
static_assert(offsetof(TcpInfo, bytes_received) == 128);

// Bytes that were read from a TCP socket; nullopt: that cannot be known.
std::optional<std::int64_t> bytes_read(int fd) {
  TcpInfo info{};
  socklen_t size = sizeof info;
  int unread = 0;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < sizeof info) return std::nullopt;
  if (::ioctl(fd, FIONREAD, &unread) != 0) return std::nullopt;
  return static_cast<std::int64_t>(info.bytes_received) - unread;
}

void init_curl_once() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (done != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
}

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return fd;
}

CURLM* make_multi() {
  init_curl_once();
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) throw std::bad_alloc();
  return multi;
}

std::uint16_t to_epoll(int what) {
  switch (what) {
    case CURL_POLL_IN:
      return EPOLLIN;
    case CURL_POLL_OUT:
      return EPOLLOUT;
    case CURL_POLL_INOUT:
      return EPOLLIN | EPOLLOUT;
    default:
      return 0;
  }
}

int to_curl(std::uint32_t events) {
  int what = 0;
  if (events & (EPOLLIN | EPOLLHUP)) what |= CURL_CSELECT_IN;
  if (events & EPOLLOUT) what |= CURL_CSELECT_OUT;
  if (events & EPOLLERR) what |= CURL_CSELECT_ERR;
  return what;
}

}  // namespace

CurlDriver::CurlDriver(boost::asio::io_context& io, std::size_t most_connections)
    : io_(io), epoll_(io, make_epoll()), timer_(io), multi_(make_multi()) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &socket_wanted);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &timer_wanted);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // Past this an idle connection of another source is closed for a new one, and where none is idle, curl waits.
  const long most = static_cast<long>(most_connections);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, most);
  curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

CurlDriver::~CurlDriver() { stop(); }

void CurlDriver::adopt(CURL* easy, Transfer& transfer) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, static_cast<void*>(&transfer));
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

bool CurlDriver::start(CURL* easy) {
  assert(!inside_curl_);
  if (stopped_) return false;
  waiting_to_start_.push_back(easy);
  ++running_;
  wait_for_events();
  post_turn();
  return true;
}

void CurlDriver::remove(CURL* easy) {
  assert(!inside_curl_);
  if (std::erase(waiting_to_start_, easy) == 0) curl_multi_remove_handle(multi_, easy);
  transfer_left();
}

CURLcode CurlDriver::resume(CURL* easy) {
  assert(!inside_curl_);
  inside_curl_ = true;  // curl hands over what it kept back from within this call
  const CURLcode how = curl_easy_pause(easy, CURLPAUSE_CONT);
  inside_curl_ = false;
  return how;
}

bool CurlDriver::begin_lookup(NameLookups::Standing name) {
  if (lookups_.begin(name)) return true;
  if (!lookups_.must_count(SteadyClock::now())) return false;
  if (const auto threads = other_threads_of_this_name()) lookups_.running(*threads);
  return lookups_.begin(name);
}

void CurlDriver::stop() {
  assert(!inside_curl_);
  if (stopped_) return;
  stopped_ = true;
  curl_multi_cleanup(multi_);  // closes the connections, through close_socket()
  boost::system::error_code ignored;
  epoll_.close(ignored);
  timer_.cancel();
}

curl_socket_t CurlDriver::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  static_cast<CurlDriver*>(self)->forget(fd);
  static_cast<CurlDriver*>(self)->socket(fd).ours = true;
  return fd;
}

int CurlDriver::close_socket(void* self, curl_socket_t fd) {
  static_cast<CurlDriver*>(self)->forget(fd);
  return ::close(fd);  // which also takes it out of the epoll set
}

int CurlDriver::socket_wanted(CURL* easy, curl_socket_t fd, int what, void* self, void*) {
  auto& driver = *static_cast<CurlDriver*>(self);
  Socket& socket = driver.socket(fd);
  socket.wanted = to_epoll(what);
  Transfer* transfer = socket.wanted != 0 ? transfer_of(easy) : nullptr;
  if (transfer != socket.transfer) {
    socket.transfer = transfer;
    socket.easy = easy;
    socket.compared = false;
  }
  // A connection between two requests stays in the set: the next request finds it there.
  if (socket.wanted == 0 && socket.ours && socket.registered == EPOLLIN) return 0;
  driver.update(fd, socket);
  // Sockets we did not open, such as the resolver's, may be closed without another word.
  if (socket.wanted == 0 && !socket.ours) driver.forget(fd);
  return 0;
}

int CurlDriver::timer_wanted(CURLM*, long timeout_ms, void* self) {
  auto& driver = *static_cast<CurlDriver*>(self);
  if (driver.stopped_) return 0;
  if (timeout_ms < 0) {
    driver.deadline_ = kNever;
  } else {
    driver.deadline_ = Clock::now() + std::chrono::milliseconds(timeout_ms);
    if (timeout_ms == 0) {
      driver.post_turn();
    } else {
      driver.schedule_timer();
    }
  }
  return 0;
}

CurlDriver::Socket& CurlDriver::socket(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= sockets_.size()) sockets_.resize(index + 64);
  return sockets_[index];
}

// From here on no event of this socket reaches curl.
void CurlDriver::forget(int fd) {
  Socket& old = socket(fd);
  old = Socket{.generation = old.generation + 1};
}

void CurlDriver::update(int fd, Socket& socket) {
  if (socket.wanted == socket.registered) return;
  epoll_event event{};
  event.events = socket.wanted;
  event.data.u64 = std::uint64_t{socket.generation} << 32 | static_cast<std::uint32_t>(fd);
  const int epoll = epoll_.native_handle();
  if (socket.wanted == 0) {
    ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
  } else if (socket.registered == 0) {
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST)
      ::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  } else {
    if (::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT)
      ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
  socket.registered = socket.wanted;
}

void CurlDriver::wait_for_events() {
  if (waiting_) return;
  waiting_ = true;
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [self = shared_from_this()](const boost::system::error_code& error) {
                      self->waiting_ = false;
                      if (self->stopped_) return;
                      if (!error) self->on_events();
                      if (self->running_ != 0) self->wait_for_events();
                    });
}

// Where curl waits to write, a request may go out: only when everything that came is read.
void CurlDriver::on_events() {
  if (!look(Which::kReadable).writable_only) return;
  read_all();
  look(Which::kAll);
}

void CurlDriver::read_all() {
  const Clock::time_point until = Clock::now() + kLongestTurn;
  for (int looks = 0; looks < kMostLooks && look(Which::kReadable).readable && Clock::now() < until; ++looks) continue;
}

// One look at the sockets, and what it shows is curl's to do, but for what is left out; that shows again.
CurlDriver::Seen CurlDriver::look(Which which) {
  Seen seen;
  const Clock::time_point began = Clock::now();
  const int count = ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event event = events_[static_cast<std::size_t>(i)];
    const int fd = static_cast<int>(event.data.u64 & 0xffff'ffff);
    Socket& found = socket(fd);
    if (found.generation != event.data.u64 >> 32) continue;  // closed since, perhaps opened again as another
    if (found.wanted == 0) {
      update(fd, found);  // an idle connection the other side closed; curl looks at it before it uses it again
      continue;
    }
    const bool is_readable = (event.events & ~std::uint32_t{EPOLLOUT}) != 0;
    (is_readable ? seen.readable : seen.writable_only) = true;
    if (is_readable || which == Which::kAll) act(fd, to_curl(event.events));
  }
  if (std::cmp_less(count, events_.size())) read_up_to_ = began;
  return seen;
}

bool CurlDriver::lies_unread(const void* whom) {
  if (Clock::now() - read_up_to_ < kMoment) return false;  // else a new look, which changes nothing
  Events events;
  const int count = ::epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  return std::any_of(events.begin(), events.begin() + std::max(count, 0), [&](const epoll_event& event) {
    const Socket& found = sockets_[event.data.u64 & 0xffff'ffff];
    if (found.generation != event.data.u64 >> 32 || found.transfer == nullptr) return false;
    return (event.events & ~std::uint32_t{EPOLLOUT}) != 0 && found.transfer->awaits() == whom;
  });
}

// timer_ may wait for an earlier time than curl wants by now: most deadlines move back, and waking once too often is
// cheaper than changing the timer every time. What is posted already comes here again.
void CurlDriver::schedule_timer() {
  if (stopped_ || running_ == 0 || turn_posted_ || deadline_ >= timer_at_) return;
  timer_at_ = deadline_;
  timer_.expires_at(timer_at_);
  timer_.async_wait([self = shared_from_this(), generation = ++timer_generation_](const boost::system::error_code&) {
    if (self->stopped_ || generation != self->timer_generation_) return;
    self->timer_at_ = kNever;
    if (self->running_ == 0) return;
    if (self->deadline_ <= Clock::now()) self->act(CURL_SOCKET_TIMEOUT, 0);
    self->schedule_timer();
  });
}

void CurlDriver::post_turn() {
  if (turn_posted_) return;
  turn_posted_ = true;
  boost::asio::post(io_, [self = shared_from_this()] {
    self->turn_posted_ = false;
    if (self->stopped_ || self->running_ == 0) return;
    self->on_turn();
    self->schedule_timer();
  });
}

void CurlDriver::on_turn() {
  const Clock::time_point until = Clock::now() + kLongestTurn;
  do {
    if (!waiting_to_start_.empty()) start_next();
    act(CURL_SOCKET_TIMEOUT, 0);
  } while (!waiting_to_start_.empty() && Clock::now() < until);
  if (!waiting_to_start_.empty()) post_turn();
}

void CurlDriver::start_next() {
  read_all();
  if (waiting_to_start_.empty()) return;
  CURL* easy = waiting_to_start_.front();
  waiting_to_start_.pop_front();
  turn_posted_ = true;  // this is the turn that curl asks for
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) end(easy, CURLE_FAILED_INIT);
  turn_posted_ = false;
}

void CurlDriver::act(curl_socket_t fd, int what) {
  // Used up by this call, after which curl says anew when it wants to be called. (After a socket's event it does not,
  // if that is still the same time.)
  if (fd == CURL_SOCKET_TIMEOUT) deadline_ = kNever;
  int ignored = 0;
  const Clock::time_point began = Clock::now();
  inside_curl_ = true;
  curl_multi_socket_action(multi_, fd, what, &ignored);
  inside_curl_ = false;
  spent_ += Clock::now() - began;

  while (const CURLMsg* message = curl_multi_info_read(multi_, &ignored)) {
    if (message->msg != CURLMSG_DONE) continue;
    end(message->easy_handle, message->data.result);
  }
  if (spent_ >= kCompareAfter) end_what_brings_nothing();
}

// Some at a time, in turn.
void CurlDriver::end_what_brings_nothing() {
  spent_ = {};
  const std::size_t looks = std::min(sockets_.size(), kMostLookedThrough);
  for (std::size_t look = 0, compared = 0; look < looks && compared < kMostCompared; ++look) {
    if (++compared_up_to_ >= sockets_.size()) compared_up_to_ = 0;
    Socket& socket = sockets_[compared_up_to_];
    if (socket.transfer == nullptr) continue;
    ++compared;
    if (!brings_nothing(static_cast<int>(compared_up_to_), socket)) continue;
    CURL* easy = socket.easy;
    socket.transfer->came_to_nothing();
    end(easy, CURLE_WRITE_ERROR);
  }
}

bool CurlDriver::brings_nothing(int fd, Socket& socket) {
  const std::optional<std::int64_t> wire = bytes_read(fd);
  if (!wire) return false;
  const auto answered = static_cast<std::int64_t>(socket.transfer->answered());
  if (!std::exchange(socket.compared, true) || answered < socket.answered_before) {
    socket.wire_before = *wire;
    socket.answered_before = answered;
  }
  return *wire - socket.wire_before > kMostForNothing + kMostPerByte * (answered - socket.answered_before);
}

void CurlDriver::end(CURL* easy, CURLcode how) {
  Transfer* transfer = transfer_of(easy);
  remove(easy);
  transfer->finished(how);
}

CurlDriver::Transfer* CurlDriver::transfer_of(CURL* easy) {
  Transfer* transfer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  return transfer;
}

// Without transfers nothing of ours may keep io_context::run() from returning. Asked again a turn later, since who got
// its response often sends the next request at once.
void CurlDriver::transfer_left() {
  if (--running_ != 0) return;
  boost::asio::post(io_, [self = shared_from_this()] {
    if (self->stopped_ || self->running_ != 0) return;
    self->epoll_.cancel();
    self->timer_.cancel();
    ++self->timer_generation_;
    self->timer_at_ = kNever;
  });
}

}  // namespace sessionlogd
