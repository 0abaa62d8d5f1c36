// The sessions of a simulated day: most begin at night at round times, as backup policies do, the others around the
// clock; a few appliances have many, many have few.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "tests/support/simulated_appliance.h"

namespace sessionlogd {

// How the entries of a session come.
enum class ArrivalModel {
  kEven,     // at equal gaps
  kPoisson,  // without memory, at a rate of the session's own
  kBursts,   // many within seconds, then none for a while
  kMixed,    // a third of the sessions each, which their type tells
};
// nullopt: none is called so.
std::optional<ArrivalModel> arrivals_of(std::string_view name);

struct DayShape {
  unsigned appliances = 5'000;
  unsigned sessions = 1'000'000;  // of all appliances together, about
  unsigned hours = 24;
  std::uint64_t seed = 1;
  ArrivalModel arrivals = ArrivalModel::kEven;
};

// The day of one appliance, the same for the same seed and number; it begins at `begin_ms`.
std::vector<test::PlannedSession> plan_of(const DayShape& shape, unsigned appliance, std::int64_t begin_ms);

}  // namespace sessionlogd
