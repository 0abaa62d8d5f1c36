#include "core/base/watched_time.h"

#include <algorithm>

namespace sessionlogd {
namespace {

constexpr Watched kMostByOneClock = std::chrono::hours{24};

// None when the clock went back.
Watched between(Instant earlier, Instant later) {
  const std::int64_t nanos = nanoseconds_between(later, earlier).value_or(0);
  return std::max(Watched{0}, std::chrono::floor<Watched>(std::chrono::nanoseconds{nanos}));
}

}  // namespace

void WatchedTime::heard(Instant ours, std::optional<Instant> theirs, SteadyTime now) {
  if (heard_) return;
  heard_ = true;
  if (!kept_.ours) return;
  const bool by_both = theirs && kept_.theirs;
  Watched passed = between(*kept_.ours, ours);
  passed = by_both ? std::min(passed, between(*kept_.theirs, *theirs)) : std::min(passed, kMostByOneClock);
  // What has passed since we began is counted by the monotonic clock.
  down_ = std::max(Watched{0}, passed - std::chrono::floor<Watched>(now - began_));
}

}  // namespace sessionlogd
