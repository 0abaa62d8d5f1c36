// Decides when a session is given up that cannot be read: gone from its source (404, and no listing shows it), or
// finished and its log unreadable. Three reads over an hour, so that a restart or an upgrade of the appliance is no
// reason; and only while the source gives what others ask of it, for else the fault is the source's.
#pragma once

#include <chrono>
#include <optional>

#include "core/base/clock.h"

namespace sessionlogd {

class LostSession {
 public:
  static constexpr unsigned kReads = 3;
  static constexpr std::chrono::hours kSpan{1};
  static constexpr std::chrono::hours kForGood{30 * 24};

  // A read failed in a way that may be for good.
  void failed(SteadyTime now) {
    if (reads_ == 0) first_ = now;
    if (reads_ < kReads) ++reads_;
    last_ = now;
  }
  // It could be read, or failed in a way that passes.
  void cleared() { reads_ = 0; }

  // `source_well_at`: when the source last did for another what it does not do for this session, nullopt = never. One
  // that has no other to compare with is given up after kForGood.
  bool given_up(std::optional<SteadyTime> source_well_at) const {
    if (reads_ < kReads || last_ - first_ < kSpan) return false;
    return (source_well_at && *source_well_at > first_) || last_ - first_ >= kForGood;
  }

 private:
  SteadyTime first_{}, last_{};
  unsigned reads_ = 0;
};

}  // namespace sessionlogd
