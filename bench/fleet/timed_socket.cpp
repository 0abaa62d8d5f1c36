#include "bench/fleet/timed_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstring>
#include <ctime>

namespace fleet {

namespace {

// The stamp among what came with a message, 0: none. There is one as soon as the kernel keeps them, which is a moment
// after the first socket asked for them.
Nanos stamp_of(msghdr& message) {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(each), sizeof at);
    return at.tv_sec * kSecond + at.tv_nsec;
  }
  return 0;
}

}  // namespace

void tell_arrivals(int fd) {
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
}

bool TimedSocket::is_left_alone() const {
  pollfd asked{const_cast<Socket&>(socket_).native_handle(), POLLRDHUP, 0};
  return ::poll(&asked, 1, 0) > 0;
}

ssize_t TimedSocket::receive(Parts space) {
  alignas(cmsghdr) std::array<char, 128> control;
  msghdr message{};
  message.msg_iov = space.parts.data();
  message.msg_iovlen = space.count;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket_.native_handle(), &message, 0);
  if (size <= 0) return size;
  came_ = stamp_of(message);
  if (came_ == 0) came_ = now();
  return size;
}

ssize_t TimedSocket::transmit(Parts bytes) {
  msghdr message{};
  message.msg_iov = bytes.parts.data();
  message.msg_iovlen = bytes.count;
  const Nanos began = now();
  const bool is_awaited = !is_left_alone();
  const ssize_t size = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  if (size < 0) return size;
  if (is_awaited) awaited_ = began;
  written_ = now();
  return size;
}

}  // namespace fleet
