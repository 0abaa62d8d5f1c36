// Decides whether a source that fails is asked at all. Open, it lets single requests through, the probes: after 1 s,
// then at doubling distances up to 30 s. A response closes it. Knows nothing of timers or sockets.
//
//   closed ──3 different requests fail, nothing is answered meanwhile──▶ open ──probe──▶ half open
//      ▲                                                                  ▲ └──────────fails──┘│
//      └──────────────────────any response────────────────────────────────┴────────────────────┘
//
// A request that fails while others are answered fails alone: it backs off by itself and opens nothing, until it is
// answered, or until nothing has been answered for a minute.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"

namespace sessionlogd {

class CircuitBreaker {
 public:
  static constexpr unsigned kRequestsToOpen = 3;
  static constexpr std::chrono::seconds kFirstProbe{1};
  static constexpr std::chrono::seconds kProbeEvery{30};  // at the most
  // Three that fail in a row may be three of many. When nothing was answered for so long, it is the source.
  static constexpr std::chrono::milliseconds kDoubt{5'000};
  // The longest wait of what backs off alone: whatever works has been asked by then.
  static constexpr std::chrono::seconds kResponsesCountFor{60};
  static constexpr std::size_t kMostAlone = 256;  // the oldest are forgotten

  explicit CircuitBreaker(std::chrono::milliseconds doubt = kDoubt) : doubt_(doubt) {}

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

  // Connection, TLS, time-out or 5xx, with a Retry-After or without: a proxy sends one for as long as what is behind it
  // is gone. Says nothing about the source when something else was answered since it started.
  void failed(const Attempt& attempt, SteadyTime now);
  // Any other response, also a refusal: the source works.
  void answered(const Attempt& attempt, SteadyTime now);
  // We ended it ourselves.
  void dropped(const Attempt& attempt);

  // When the next probe is due; nullopt: closed.
  std::optional<SteadyTime> open_until() const { return probe_at_; }

  // It is open, and nothing that was asked was answered for kDoubt: it fails whatever it is asked.
  bool is_believed(SteadyTime now) const { return probe_at_ && now - failing_since_ >= doubt_; }

 private:
  bool fails_alone(std::uint64_t request, SteadyTime now) const;
  void learn_alone(std::uint64_t request);

  std::chrono::milliseconds doubt_;
  std::vector<std::uint64_t> failing_;  // different ones, since the last response; at most kMostAlone
  SteadyTime failing_since_{};          // when the first of them was sent
  std::vector<std::uint64_t> alone_;    // failed while others were answered, the oldest first
  std::optional<SteadyTime> last_response_;
  std::optional<SteadyTime> probe_at_;  // nullopt: closed
  std::chrono::seconds distance_{kFirstProbe};
  bool probing_ = false;
};

}  // namespace sessionlogd
