// One session as its appliance lists it: a pure function of the plan and two numbers, so that thousands of appliances
// need no memory for what nobody asks about, and a ledger can be written by looking at the same fleet again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/fleet/plan.h"
#include "bench/fleet/telling.h"

namespace fleet {

struct Session {
  std::uint64_t seed = 0;
  std::size_t index = 0;  // its number on the appliance
  Dialect dialect = Dialect::aws;
  std::string id;
  std::string_view type;
  std::string_view policy;
  std::string_view final_status;
  std::string_view final_result;  // AWS has two word sets
  Nanos start = 0;
  Nanos stop = 0;

  // What not every session has: see life.h.
  Nanos gone = kNever;  // deleted on the appliance
  Nanos reopened = kNever, second_stop = kNever;
  bool late = false;          // it began before any window of a listing
  bool never_ends = false;    // stays Running after `stop`, without another word
  bool is_odd_again = false;  // opened again, what is said then is not all about then
  Nanos cleared = kNever;     // what appeared in its log before is in it no longer
  Span paged;                 // its log has the first entries only, and says so
  bool is_of_short_entries = false;
  Nanos unannounced = kNever;  // one more entry comes then, long after its end; no row says so
  // Its start as it is told: earlier by this than it came up, and wrong until then.
  Nanos began_before = 0;
  enum class Start : std::uint8_t { right, planned, of_year_one, of_seven_digits };
  Start first_start = Start::right;
  Nanos corrected = 0;
  // Its entries' times have seven digits until then; kNever: as they are.
  Nanos six_digits_from = kNever;
  bool rounds = false;                     // the times that tell its entries apart; others are cut
  std::shared_ptr<const Telling> telling;  // null: plainly

  // A fleet that freezes at `freeze` ends what still runs then, and begins and deletes nothing any more.
  bool is_gone(Nanos at, Nanos freeze) const { return gone <= at && gone < freeze; }
  bool exists(Nanos at, Nanos freeze) const { return start <= at && start <= freeze && !is_gone(at, freeze); }
  // Whether what a listing says of it at that moment is the last that is said.
  bool is_at_its_end(Nanos at, Nanos freeze) const {
    return at >= freeze || (is_final(at, freeze) && (at >= second_stop || reopened >= freeze));
  }
  bool is_final(Nanos at, Nanos freeze) const {
    if (never_ends) return false;
    return at >= freeze || at >= second_stop || (at >= stop && at < reopened);
  }
  // Whether a listing may tell another start than the one when it came up.
  bool is_told_oddly() const {
    return began_before != 0 || first_start != Start::right || (telling && telling->told(start) != start);
  }
  // When it stopped last, asked of a final one.
  Nanos stopped(Nanos at, Nanos freeze) const {
    const Nanos last = at >= reopened && reopened < freeze ? second_stop : stop;
    return last < freeze ? last : freeze;
  }
};

// Its start as a row tells it, and as a window finds it: before all times in year 1.
std::string start_text(const Session& session, Nanos at, Nanos freeze);
Nanos told_start(const Session& session, Nanos at, Nanos freeze);

// Sessions of one appliance start in the order of their index; those beyond the plan's number are spare ones of the
// past, and with late sessions there is no order.
Session make_session(const Plan& plan, std::size_t appliance, std::size_t index);
// The same as it would be without a fault.
Session plain_session(const Plan& plan, std::size_t appliance, std::size_t index);

// The plan's first so many sessions ended before it began.
inline std::size_t past_sessions(const Plan& plan) { return plan.all_past ? plan.sessions : plan.sessions / 5; }
inline std::size_t running_sessions(const Plan& plan) {
  return plan.all_past ? 0 : plan.sessions / 10 + (plan.sessions > plan.sessions / 5 ? 1 : 0);
}

// What one log response shows is that of a *moment*: time in steps, so that a response can be cached for a while. After
// `quiet_from` nothing changes any more, and every later request is of that one moment.
inline constexpr Nanos kMomentLength = 100 * kMillisecond;
// `freeze` is that of the appliance's own clock, as everywhere in the model.
Nanos quiet_from(const Plan& plan, const Session& session, Nanos freeze);
Nanos moment_of(const Plan& plan, const Session& session, Nanos at, Nanos freeze);

}  // namespace fleet
