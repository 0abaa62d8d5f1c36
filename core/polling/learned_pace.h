// Decides when each session of a source is read next and when its sessions are listed: when the delay that is to be
// expected of it reaches a price, which is one for all of the source. So reads go where entries come soon, and the mean
// age of entries is `freshness`. It decides when, never whether: each wait is within [interval, max_interval], a
// listing's at most discovery_interval. Where interval is max_interval nothing is learned: that is the pace, and
// sessions are listed each discovery_interval.
//
// No I/O, no clocks: times are given to it. What it has learned ends with it; some dozen sessions teach it again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "core/base/clock.h"
#include "core/base/timestamp.h"
#include "core/polling/arrivals.h"
#include "core/polling/beginnings.h"
#include "core/polling/price.h"

namespace sessionlogd {

// What is kept of a session for it.
class SessionPace {
 private:
  friend class LearnedPace;
  SessionArrivals arrivals_;
  std::uint32_t entry_at_ = 0, read_at_ = 0;  // LearnedPace::stamp(): when the last entry came, and was looked for
};
static_assert(sizeof(SessionPace) == 16);

class LearnedPace {
 public:
  // The settings are asked for as long as it lives.
  LearnedPace(const PollSettings& settings, SteadyTime begin);
  LearnedPace(PollSettings&&, SteadyTime) = delete;

  // A read has brought entries of a session of that type, so old, the oldest first.
  void came(SessionPace& session, std::string_view type, SteadyTime now,
            std::span<const std::chrono::milliseconds> ages);
  // A session was read that goes on: the wait until it is read again, max_interval or `longest` at most.
  std::chrono::milliseconds after_read(SessionPace& session, std::string_view type, SteadyTime now,
                                       std::chrono::milliseconds longest);
  // The usual wait, for sessions that have ended.
  std::chrono::milliseconds usual() const;

  // A read that was due then begins now: others were due, too.
  void was_late(SteadyTime due, SteadyTime now);
  // The sink has no room: until then no price is to blame, neither for what was due nor for how old entries are.
  void held_up(SteadyTime now) { held_up_at_ = now; }

  // A listing begins now. The source's clock, as below.
  void listing_begins(Instant now);
  // A session is news and began then.
  void began(Instant start);
  // A listing that began then showed all there was; nullopt: not all. The wait until the next.
  std::chrono::milliseconds after_listing(std::optional<Instant> began);

  // How old new entries were when they were read, the mean of the last hundreds; nullopt: the pace is fixed, or nothing
  // came yet.
  std::optional<std::chrono::milliseconds> mean_age() const;
  // Why that is above the aim, "" = it is not.
  std::string shortfall() const;

 private:
  bool learns() const { return settings_.max_interval > settings_.interval; }
  std::uint32_t stamp(SteadyTime at) const;
  static double seconds_between(std::uint32_t from, std::uint32_t to);
  Arrivals& of(std::string_view type);
  void learn(Arrivals& arrivals, SessionPace& session, std::uint32_t until, Arrivals::EndedBy ended_by);
  bool was_held_up(const SessionPace& session, SteadyTime now, std::span<const std::chrono::milliseconds> ages) const;
  void note_ages(const SessionPace& session, SteadyTime now, std::span<const std::chrono::milliseconds> ages);
  void note_first_read(std::span<const std::chrono::milliseconds> ages);
  std::chrono::milliseconds likely_age(const SessionPace& session, SteadyTime now,
                                       std::span<const std::chrono::milliseconds> ages, std::size_t i,
                                       double part) const;
  std::chrono::milliseconds within(double seconds, std::chrono::milliseconds longest) const;

  const PollSettings& settings_;
  const SteadyTime begin_;
  Price price_;
  std::map<std::string, Arrivals, std::less<>> types_;
  Beginnings beginnings_;
  std::optional<Instant> listed_;    // the last listing that showed all
  std::vector<Instant> begun_;       // sessions that were news since; they count once their time does
  std::optional<Instant> long_ago_;  // to the last listing; what began before is of a pause, of which it learns no time
  std::optional<SteadyTime> held_up_at_;
  double usual_;              // seconds
  unsigned first_ages_ = 0;   // of first reads, since the last listing
  double first_entries_ = 1;  // that a first read shows, the mean
  bool has_seen_ = false;
};

}  // namespace sessionlogd
