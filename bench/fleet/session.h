// One session as its appliance lists it: a pure function of the plan and two numbers, so that thousands of appliances
// need no memory for what nobody asks about, and a ledger can be written by looking at the same fleet again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/fleet/plan.h"

namespace fleet {

struct Session {
  std::uint64_t seed = 0;
  Dialect dialect = Dialect::aws;
  std::string id;
  std::string_view type;
  std::string_view policy;
  std::string_view final_status;
  std::string_view final_result;  // AWS has two word sets
  Nanos start = 0;
  Nanos stop = 0;

  // A fleet that freezes at `freeze` ends what still runs then.
  Nanos stop_with(Nanos freeze) const { return stop < freeze ? stop : freeze; }
  bool exists(Nanos at, Nanos freeze) const { return start <= at && start <= freeze; }
  bool is_final(Nanos at, Nanos freeze) const { return at >= stop_with(freeze); }
};

// Sessions of one appliance start in the order of their index.
Session make_session(const Plan& plan, std::size_t appliance, std::size_t index);

// What one log answer shows is that of a *moment*: time in steps, so that an answer can be cached for a while. After
// `quiet_from` nothing changes any more, and every later request is of that one moment.
inline constexpr Nanos kMomentLength = 100 * kMillisecond;
Nanos quiet_from(const Plan& plan, const Session& session, Nanos freeze);
Nanos moment_of(const Plan& plan, const Session& session, Nanos at, Nanos freeze);

}  // namespace fleet
