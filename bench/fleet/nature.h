// How an appliance as a whole differs from a good one: its clock, its bad times, its limits. A function of the plan.
#pragma once

#include <cstddef>
#include <limits>

#include "bench/fleet/plan.h"
#include "bench/fleet/times.h"

namespace fleet {

struct Span {
  Nanos from = 0;
  Nanos to = 0;

  bool holds(Nanos at) const { return from <= at && at < to; }
};

// Times are those of the appliance's own clock.
struct Nature {
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  Nanos clock_offset = 0;
  Span refuses_versions;
  Span is_down;
  Span has_server_errors;
  bool is_dead = false;  // accepts and never answers, refuses connections, or does not even answer to those
  bool refuses_refresh = false;
  Nanos tokens_void_every = 0;            // 0: never
  Nanos tokens_expire_every = 0;          // likewise; they can be refreshed
  std::size_t greatest_limit = kNoLimit;  // more is answered with 400
  std::size_t most_rows = kNoLimit;       // whatever was asked for
};

Nature nature_of(const Plan& plan, std::size_t appliance);

// The plan as this appliance's clock sees it. The model of one appliance knows no other clock.
Plan plan_of_appliance(const Plan& plan, std::size_t appliance);

// A point in time by another clock; `kNever` stays what it is.
inline Nanos shifted(Nanos at, Nanos offset) { return at == kNever ? at : at + offset; }

}  // namespace fleet
