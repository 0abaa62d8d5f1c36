// What a fleet is to be like: everything the model needs to write the same fleet again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/fleet/faults.h"
#include "bench/fleet/times.h"

namespace fleet {

enum class Dialect : std::uint8_t { aws, azure };
enum class Dialects : std::uint8_t { aws, azure, both };

// How often the odd things happen: shares of entries, unless said otherwise.
struct Mix {
  double twin = 0.04;            // has one to three twins: equal in every field of the identity
  double same_time = 0.15;       // shares its time with the entry before it
  double back_dated = 0.10;      // its time lies well before it appears
  double late = 0.03;            // appears, or gets its last state, after the session went final
  double hostile = 0.002;        // no log entry as documented: owed as an error event
  double unknown_status = 0.01;  // ends in a status word no document names
  double extra = 0.05;           // has fields no document names
  double correction = 0.03;      // changes once more after it was final
  double vanish = 0.02;          // is away for a moment (share of moments, running sessions only)
  double reshuffle = 0.10;       // responses in another order and other spellings (share of responses)
  Nanos max_lateness = 2 * kSecond;
};

struct Plan {
  std::uint64_t seed = 0;
  Dialects dialects = Dialects::both;
  std::size_t appliances = 1;
  std::size_t sessions = 10;  // per appliance
  std::size_t entries = 40;   // per session, on average
  Nanos begin = 0;            // when the fleet starts to live
  Nanos duration = 15 * kSecond;
  Nanos session_length = 6 * kSecond;  // the longest
  std::size_t clock_steps = 4;         // of an appliance whose clock steps
  bool all_past = false;               // every session ended an hour and more before `begin`
  Mix mix;
  FaultMix faults;
};

inline Dialect dialect_of(const Plan& plan, std::size_t appliance) {
  if (plan.dialects == Dialects::both) return appliance % 2 == 0 ? Dialect::aws : Dialect::azure;
  return plan.dialects == Dialects::aws ? Dialect::aws : Dialect::azure;
}

// What the daemon's configuration calls this appliance, for example "aws-0007".
std::string source_name(const Plan& plan, std::size_t appliance);

}  // namespace fleet
