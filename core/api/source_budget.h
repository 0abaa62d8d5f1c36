// Decides when a source may be asked again: its `connections`, its `rate`, and the waits it asked for. Whether it works
// at all is core/circuit_breaker's to say. Knows nothing of timers or sockets.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/backoff.h"
#include "core/base/clock.h"

namespace sessionlogd {

class SourceBudget {
 public:
  static constexpr std::chrono::hours kMostRetryAfter{1};

  SourceBudget(unsigned connections, double rate_per_second);

  // When the next request may start: `now` or earlier means at once. Never while every connection is in use: then
  // nullopt, ask again after finish().
  std::optional<SteadyTime> ready_at(SteadyTime now) const;

  // A request starts. Only when ready_at() allowed it. The bucket holds one second's worth of `rate` (at least one
  // request).
  void start(SteadyTime now);

  // It ended, however. Exactly once per start().
  void finish();

  // The source asked to be left alone for so long (429, 503): no request of any kind starts before. At most
  // kMostRetryAfter.
  void retry_after(SteadyTime now, std::chrono::seconds wait);

  // It asked for that without saying how long (429): the whole source backs off until something is served. What is
  // refused during the wait changes nothing: it was on its way before, so what is refused together counts once.
  void slow_down(SteadyTime now, std::uint64_t random);
  // That ends this wait, but no retry_after().
  void served();

  // Until when the source asked to be left alone, with and without saying how long; the past: it does not.
  SteadyTime left_alone_until() const { return std::max(asked_until_, backing_off_until_); }
  // When `rate` allows the next request.
  SteadyTime paid_until() const { return paid_until_ - credit_; }

  unsigned in_flight() const { return in_flight_; }
  unsigned slow_downs() const { return backoff_.failures(); }  // in a row

 private:
  // The bucket in whole nanoseconds, exact at any age: a request costs `cost_` of time, and `paid_until_` is when the
  // bucket is full again. It may lie `credit_` ahead of the next start.
  unsigned connections_;
  std::chrono::nanoseconds cost_;
  std::chrono::nanoseconds credit_;
  SteadyTime paid_until_{};

  SteadyTime asked_until_{};  // Retry-After
  SteadyTime backing_off_until_{};
  unsigned in_flight_ = 0;
  Backoff backoff_;
};

}  // namespace sessionlogd
