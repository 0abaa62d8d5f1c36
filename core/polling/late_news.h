// Holds back the sessions that only a sweep brought up, so that news by the thousand (wider rights, another appliance
// behind the address, a product that names its ids anew) costs neither the source nor what is due. They are delayed,
// never dropped: one at a time within a tenth of the source's rate, the newest first; more than 1,000 of one sweep wait
// for an hour, in which a person may look. Knows nothing of timers or sessions.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "core/base/clock.h"
#include "core/base/timestamp.h"
#include "core/base/watched_time.h"
#include "core/polling/schedule.h"

namespace sessionlogd {

class LateNews {
 public:
  static constexpr std::size_t kMany = 1'000;
  static constexpr Watched kManyWait = std::chrono::hours{1};

  struct Session {
    Schedule::Slot slot;
    std::uint64_t key;  // a slot may be another's by now
  };

  enum class Kind {
    kNeverShown,
    kOpenedAgain,  // it is known: no sign of another appliance
  };
  // `start`: the newest is read first. `found`: when the sweep showed it.
  void add(Session session, Instant start, Watched found, Kind kind = Kind::kNeverShown);

  // When the next may be read; `watched_at` tells when that watched time will be. nullopt: none waits.
  template <class WatchedAt>
  std::optional<SteadyTime> next(WatchedAt watched_at) const {
    if (waiting_.empty()) return std::nullopt;
    return many_wait_until_ ? std::max(next_at_, watched_at(*many_wait_until_)) : next_at_;
  }

  // Takes it; `rate` is the source's, a second.
  Session take(SteadyTime now, double rate);

  // A sweep begins: what it finds is counted anew. What waits goes on waiting.
  void begin_sweep() { found_ = 0; }
  // Of the sweep that goes on, or was the last.
  std::size_t found() const { return found_; }
  std::size_t size() const { return waiting_.size(); }

 private:
  static constexpr double kShareOfRate = 0.1;

  struct Waiting {
    Instant start;
    Session session;
    bool operator<(const Waiting& other) const { return start < other.start; }
  };
  std::priority_queue<Waiting> waiting_;
  std::size_t found_ = 0;
  std::optional<Watched> many_wait_until_;
  SteadyTime next_at_ = SteadyTime::min();
};

}  // namespace sessionlogd
