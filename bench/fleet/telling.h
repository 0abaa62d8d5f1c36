// How an appliance tells what time it is and was: its clock may step, and its times may be local ones without a zone.
// A function of the plan that is the appliance's own (see nature.h): inside, time runs evenly, and here it is told.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/plan.h"
#include "bench/fleet/times.h"

namespace fleet {

struct ClockStep {
  Span when;
  Nanos by = 0;
  std::string_view date;  // what the Date header says instead, when no clock of ours reaches so far; empty: nothing
  bool is_of_entries = false;  // what happens then is told by the stepped clock, too; else only the Date header steps
};

struct Telling {
  std::vector<ClockStep> steps;     // by time, apart from each other
  std::optional<Nanos> local_zone;  // east of Greenwich; the times do not say so

  const ClockStep* step_at(Nanos at) const;
  // What is told of a thing that happened then.
  Nanos told(Nanos at) const;
};

// Empty: like everybody.
std::shared_ptr<const Telling> telling_of(const Plan& own, std::size_t appliance);

// A told time in the product's spelling. Null: in UTC.
std::string time_text(const Telling* telling, Dialect dialect, Nanos told);

}  // namespace fleet
