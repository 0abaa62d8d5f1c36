// What begins and ends, as it is told: a thing that comes and goes is said once when it begins, and that it is over
// only when it has stayed away for a minute, not each time in between.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "core/clock.h"

namespace sessionlogd {

class SaidPair {
 public:
  static constexpr std::chrono::seconds kLasts{60};

  // It is so now; whether to say that it begins.
  bool is_so() {
    away_since_.reset();
    return !std::exchange(said_, true);
  }

  // It is not so now; whether to say that it is over.
  bool is_not_so(SteadyTime now) {
    if (!said_) return false;
    if (!away_since_) away_since_ = now;
    if (now - *away_since_ < kLasts) return false;
    away_since_.reset();
    said_ = false;
    return true;
  }

 private:
  bool said_ = false;
  std::optional<SteadyTime> away_since_;
};

}  // namespace sessionlogd
