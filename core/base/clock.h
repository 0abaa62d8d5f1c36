// The two clocks. Decisions take times as arguments, so that tests bring their own. What reads them in between, all of
// a source from its poller to its requests, runs on simulated time where a program brings its own now() (and
// system_now()) in place of core/base/clock.cpp: tests/support/simulated_time.
#pragma once

#include <chrono>

namespace sessionlogd {

// std::chrono::steady_clock, but for where now() comes from.
struct SteadyClock {
  using time_point = std::chrono::steady_clock::time_point;
  using duration = time_point::duration;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = true;

  static time_point now() noexcept;
};

using SteadyTime = SteadyClock::time_point;

}  // namespace sessionlogd
