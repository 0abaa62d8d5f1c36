// Decides when a session is given up that cannot be read: gone from its source (404, and no listing shows it), or
// finished and its log unreadable. Three reads over an hour, so that a restart or an upgrade of the appliance is no
// reason.
#pragma once

#include <chrono>

#include "core/clock.h"

namespace sessionlogd {

class LostSession {
 public:
  static constexpr unsigned kReads = 3;
  static constexpr std::chrono::hours kSpan{1};

  // A read failed in a way that may be for good.
  void failed(SteadyTime now) {
    if (reads_ == 0) first_ = now;
    if (reads_ < kReads) ++reads_;
    last_ = now;
  }
  // It could be read, or failed in a way that passes.
  void cleared() { reads_ = 0; }

  bool given_up() const { return reads_ >= kReads && last_ - first_ >= kSpan; }

 private:
  SteadyTime first_{}, last_{};
  unsigned reads_ = 0;
};

}  // namespace sessionlogd
