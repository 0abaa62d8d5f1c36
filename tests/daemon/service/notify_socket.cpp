#include "tests/daemon/service/notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace sessionlogd::test {

NotifySocket::NotifySocket(const std::string& path) : path_(path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0 || ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot listen at " + path);
}

NotifySocket::~NotifySocket() {
  ::close(socket_);
  ::unlink(path_.c_str());
}

const std::vector<std::string>& NotifySocket::told() {
  char message[4096];
  for (ssize_t size; (size = ::recv(socket_, message, sizeof message, 0)) >= 0;) {
    std::string_view rest(message, static_cast<std::size_t>(size));
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      told_.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return told_;
}

bool NotifySocket::was_told(const std::string& beginning) {
  return std::ranges::any_of(told(), [&](const std::string& one) { return one.starts_with(beginning); });
}

}  // namespace sessionlogd::test
