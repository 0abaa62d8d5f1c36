// Decides whether a source that fails is asked at all. Open, it lets one request through every 30 s, the probe; an
// answer closes it. Knows nothing of timers or sockets.
//
//   closed ──3 different requests fail, nothing is answered meanwhile──▶ open ──probe──▶ half open
//      ▲                                                                  ▲ └──────────fails──┘│
//      └──────────────────────any answer──────────────────────────────────┴────────────────────┘
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "core/clock.h"

namespace sessionlogd {

class CircuitBreaker {
 public:
  static constexpr unsigned kRequestsToOpen = 3;
  static constexpr std::chrono::seconds kProbeEvery{30};

  // A request on its way; it comes back with failed(), answered() or dropped(), exactly once.
  struct Attempt {
    std::uint64_t request = 0;  // the same for the same request: what fails again and again counts once
    SteadyTime started{};
    bool is_probe = false;
  };
  // When the next request may start: `now` means at once, nullopt not before the probe that is out has come back.
  std::optional<SteadyTime> ready_at(SteadyTime now) const;

  // Only when ready_at() allowed it.
  Attempt start(SteadyTime now, std::uint64_t request);

  // Connection, TLS, time-out or 5xx. Says nothing about the source when something else was answered since it started:
  // then it is that request alone that fails, and backs off alone. True: it opens.
  bool failed(const Attempt& attempt, SteadyTime now);
  // Any other answer, also a refusal: the source works.
  void answered(const Attempt& attempt, SteadyTime now);
  // We ended it ourselves.
  void dropped(const Attempt& attempt);

  // When the next probe is due; nullopt: closed.
  std::optional<SteadyTime> open_until() const;

 private:
  void count(std::uint64_t request);

  std::array<std::uint64_t, kRequestsToOpen> failing_{};  // different ones, since the last answer
  unsigned failing_count_ = 0;
  std::optional<SteadyTime> last_answer_;
  std::optional<SteadyTime> probe_at_;  // nullopt: closed
  bool probing_ = false;
};

}  // namespace sessionlogd
