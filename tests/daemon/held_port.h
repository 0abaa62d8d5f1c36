// A port of loopback for a server of another process that is to know it before it runs, and may be killed and start
// again: as long as this lives the system gives the port to nobody who asks for any.
//
// It is bound here and not listened at. Servers set SO_REUSEADDR, as we do, and so may listen there all the same.
#pragma once

#include <utility>

namespace sessionlogd::test {

class HeldPort {
 public:
  HeldPort();
  ~HeldPort();
  HeldPort(HeldPort&& other) noexcept : socket_(std::exchange(other.socket_, -1)), number_(other.number_) {}
  HeldPort& operator=(HeldPort&&) = delete;

  unsigned short number() const { return number_; }

 private:
  int socket_;
  unsigned short number_ = 0;
};

}  // namespace sessionlogd::test
