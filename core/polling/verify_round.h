// Decides which session of the last day is read again next, and when: once in `verify` each of them, spread over nine
// tenths of that time, within a tenth of the source's rate. Knows nothing of requests or logs, and reads no clock.
//
//   keys:  |·····read·····| place |--held, up to 10,000--|···left out: for the next walk···|
//
// Sessions come in order of their keys, which are hashes. So the place that a restart goes on from is one number
// whatever the order of the listing is, no mark is rewritten, and where there are too many the ones that are reached
// are others each day.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/timestamp.h"
#include "core/base/watched_time.h"
#include "core/state/verify_place.h"

namespace sessionlogd {

class VerifyRound {
 public:
  static constexpr double kShareOfRate = 0.1;
  static constexpr std::size_t kMostHeld = 10'000;  // about a MiB
  static constexpr std::chrono::hours kLeastSpan{24};

  // `place` must outlive this. `interval`: from the beginning of one round to that of the next; `rate`: the source's, a
  // second.
  VerifyRound(VerifyPlace& place, std::chrono::milliseconds interval, double rate)
      : place_(place), interval_(interval), rate_(rate) {}

  // When a round begins, or has to be over.
  Watched next_begins() const { return place_.begun.value_or(Watched{0}) + interval_; }
  bool goes_on() const { return place_.goes_on; }
  // A day, and no less than what lies between two rounds.
  std::chrono::milliseconds span() const { return std::max<std::chrono::milliseconds>(interval_, kLeastSpan); }
  // `sessions`: that were done in the span before.
  void begin(Watched now, std::size_t sessions);
  // What was done since then is the round's matter; `ours`: our clock.
  Instant since(Watched now, Instant ours) const;
  bool time_is_up(Watched now) const { return now >= next_begins(); }
  // What was not reached is left; returns what became of it.
  const VerifyTally& end(Instant ours);

  // A walk through the listing begins, or has come to its end.
  void begin_walk();
  void end_walk();
  // The listing shows a session of the last day. Held are those that come next.
  void offer(std::uint64_t session_key, std::string_view id);
  // There were more than can be held: another walk brings them.
  bool left_some_out() const { return left_out_; }

  // The next, nullopt: all that were held are dealt with. It stays the next until it is.
  std::optional<std::pair<std::uint64_t, std::string>> next() const;
  void was_compared(std::uint64_t session_key, std::size_t late);
  void could_not(std::uint64_t session_key);
  // It is to be read again when all others were. Until it is compared it counts among those that could not be.
  void put_off(std::uint64_t session_key);
  // By session_key, up to kMostHeld of this run.
  const std::map<std::uint64_t, std::string>& put_off() const { return put_off_; }

  // From one request to the next.
  std::chrono::milliseconds gap(Watched now) const;
  std::chrono::milliseconds least_gap() const;

 private:
  void deal_with(std::uint64_t session_key);

  VerifyPlace& place_;
  const std::chrono::milliseconds interval_;
  const double rate_;
  std::map<std::uint64_t, std::string> held_, put_off_;
  bool left_out_ = false;
};

}  // namespace sessionlogd
