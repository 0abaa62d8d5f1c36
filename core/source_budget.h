// Decides when a source may be asked again: its `connections`, its `rate`, the waits it asked for, and the backoff
// after failures. Knows nothing of timers or sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/backoff.h"
#include "core/clock.h"

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

  // A failure of the source itself (connection, TLS, time-out, 5xx): the whole source backs off. A success ends that,
  // but no retry_after(). A failure that comes during the wait changes nothing: its request began before, so the whole
  // of an outage's first requests counts once.
  void failed(SteadyTime now, std::uint64_t random);
  void succeeded();

  unsigned in_flight() const { return in_flight_; }
  unsigned failures() const { return backoff_.failures(); }

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
