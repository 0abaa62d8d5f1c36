// What begins and ends, as it is told: a thing that comes and goes is said once when it begins, and that it is over
// only when it has stayed away for a minute, not each time in between.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "core/base/clock.h"

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

  // It is over for certain; whether to say so.
  bool is_over() {
    away_since_.reset();
    return std::exchange(said_, false);
  }

 private:
  bool said_ = false;
  std::optional<SteadyTime> away_since_;
};

// The same where people wait for the end: it is said at once, unless the thing had begun within a minute of its last
// end. Then it comes and goes, and its end is said when it has stayed away.
class SaidOutage {
 public:
  bool is_so(SteadyTime now) {
    if (!pair_.is_so()) return false;
    comes_and_goes_ = ended_at_ && now - *ended_at_ < SaidPair::kLasts;
    return true;
  }

  bool is_not_so(SteadyTime now) {
    const bool ends = comes_and_goes_ ? pair_.is_not_so(now) : pair_.is_over();
    if (ends) ended_at_ = now;
    return ends;
  }

 private:
  SaidPair pair_;
  std::optional<SteadyTime> ended_at_;
  bool comes_and_goes_ = false;
};

}  // namespace sessionlogd
