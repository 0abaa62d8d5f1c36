// Decides when a source may be logged in to again: once in 30 s, and less and less often while the tokens die long
// before their time, since then another client probably logs in to the same account, and two of them could go on
// ending each other's tokens for ever. Also while logins are refused in words that may mean the password, in a language
// that is not known here: an account would be locked by them. Does no I/O.
#pragma once

#include <chrono>
#include <optional>

#include "core/base/clock.h"

namespace sessionlogd {

class LoginLimit {
 public:
  static constexpr std::chrono::milliseconds kLeast{30'000};
  static constexpr std::chrono::milliseconds kMost{3'600'000};
  static constexpr unsigned kMostRefusals = 5;  // that double it: 16 minutes
  // One early death is a restart of the appliance; so many in a row are a habit.
  static constexpr unsigned kHabit = 3;

  enum class Change { kNone, kHabitBegins, kHabitEnds };

  // Why logins are further apart than `least`.
  enum class Slowed { kNot, kByEarlyDeaths, kByUnclearRefusals };

  explicit LoginLimit(std::chrono::milliseconds least = kLeast) : least_(least) {}

  // When the next login may be sent; the past means at once.
  SteadyTime ready_at() const;
  std::chrono::milliseconds gap() const;
  Slowed slowed() const {
    if (unclear_refusals_ > 0) return Slowed::kByUnclearRefusals;
    return early_deaths_ > 1 ? Slowed::kByEarlyDeaths : Slowed::kNot;
  }

  // A run before this one sent its last login at `last`, after so many early deaths in a row.
  void restore(SteadyTime last, unsigned early_deaths) {
    last_ = last;
    early_deaths_ = early_deaths;
  }
  unsigned early_deaths() const { return early_deaths_; }

  // A login was sent then at the latest, whatever came of it.
  void sent(SteadyTime at) { last_ = at; }

  // It was refused, and nobody knows whether for its password.
  void refused_unclearly() { ++unclear_refusals_; }

  // It brought tokens that promise to live for `life`; zero: nothing was promised.
  void granted(SteadyTime now, std::chrono::seconds life);

  // What became of those tokens since nobody knows: their death says nothing.
  void was_away() { granted_.reset(); }

  // At each renewal: those tokens, or what they were refreshed to, still live.
  Change live(SteadyTime now);

  // They do not: the next renewal is a login. Dying before half of what was promised is early.
  Change died(SteadyTime now);

 private:
  bool lived_long(SteadyTime now) const;
  Change end_habit();

  std::chrono::milliseconds least_;
  std::optional<SteadyTime> last_;
  std::optional<SteadyTime> granted_;  // nullopt: no token of a login lives
  std::chrono::seconds promised_{0};
  unsigned early_deaths_ = 0;      // in a row
  unsigned unclear_refusals_ = 0;  // likewise
};

}  // namespace sessionlogd
