// How long to wait for what one waits for alone: twice as long each time, and without chance, since there is no herd to
// spread.
#pragma once

#include <algorithm>
#include <chrono>

namespace sessionlogd {

class Doubling {
 public:
  constexpr Doubling(std::chrono::milliseconds first, std::chrono::milliseconds most) : first_(first), most_(most) {}

  std::chrono::milliseconds next() { return last_ = std::min(std::max(last_ * 2, first_), most_); }
  void reset() { last_ = std::chrono::milliseconds{0}; }
  bool has_waited() const { return last_.count() != 0; }

 private:
  std::chrono::milliseconds first_, most_, last_{0};
};

}  // namespace sessionlogd
