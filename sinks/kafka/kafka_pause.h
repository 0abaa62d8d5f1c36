// How long a lane waits after it was shut out, before it looks again: longer each time, so that of two that shut each
// other out one finds the other's commit. Forgotten when it did not happen for a while.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace sessionlogd {

class KafkaPause {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds kFirst{2'500}, kLongest{60'000};
  static constexpr std::chrono::minutes kForgottenAfter{10};

  std::chrono::milliseconds next(Clock::time_point now) {
    const bool is_first = !last_ || now - *last_ > kForgottenAfter;
    pause_ = is_first ? kFirst : std::min(pause_ * 2, kLongest);
    last_ = now;
    return pause_;
  }

 private:
  std::optional<Clock::time_point> last_;
  std::chrono::milliseconds pause_{0};
};

}  // namespace sessionlogd
