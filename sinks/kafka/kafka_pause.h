// How long a lane waits after it was shut out, before it looks again: longer each time, so that of two that shut each
// other out one finds the other's commit. Forgotten when it did not happen for a while.
#pragma once

#include <chrono>
#include <optional>

#include "core/base/doubling.h"

namespace sessionlogd {

class KafkaPause {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::milliseconds kFirst{2'500}, kLongest{60'000};
  static constexpr std::chrono::minutes kForgottenAfter{10};

  std::chrono::milliseconds next(Clock::time_point now) {
    if (last_ && now - *last_ > kForgottenAfter) pauses_.reset();
    last_ = now;
    return pauses_.next();
  }

 private:
  std::optional<Clock::time_point> last_;
  Doubling pauses_{kFirst, kLongest};
};

}  // namespace sessionlogd
