// How long a source has been watched: a durable counter, so that spans that end something (`settle`, `retention`, 30
// days without news) are not ended by a clock that steps, nor begun again by every restart.
//
// It grows by the monotonic clock while we run. For the time when nobody ran it grows by the lesser of what our clock
// and the source's say, without the source's by ours, but by a day at most. No clock is read here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/base/timestamp.h"

namespace sessionlogd {

// Since the source was met first.
using Watched = std::chrono::milliseconds;

class WatchedTime {
 public:
  // As it was made durable last, and what the clocks said then.
  struct Kept {
    Watched span{0};
    std::optional<Instant> ours, theirs{};

    friend bool operator==(const Kept&, const Kept&) = default;
  };

  WatchedTime(const Kept& kept, SteadyTime now) : kept_(kept), began_(now) {}

  // Adds the time since `kept` in which nobody ran, once: at the first response of the source. `theirs`: its clock,
  // nullopt when it tells none.
  void heard(Instant ours, std::optional<Instant> theirs, SteadyTime now);
  bool is_heard() const { return heard_; }

  Watched at(SteadyTime now) const { return kept_.span + down_ + std::chrono::floor<Watched>(now - began_); }
  SteadyTime when(Watched at) const { return began_ + (at - kept_.span - down_); }

  // What to make durable.
  Kept keep(SteadyTime now, Instant ours, std::optional<Instant> theirs) const { return {at(now), ours, theirs}; }

 private:
  Kept kept_;
  SteadyTime began_;
  Watched down_{0};
  bool heard_ = false;
};

}  // namespace sessionlogd
