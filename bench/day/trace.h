// What sessions of real appliances wrote and when, from a file: one JSON object a line and session,
//
//   {"appliance":0,"session":"s","type":"Policy","start":60,"stop":300.5,"entries":[60,75.2],"changes":[[0,75.2]]}
//
// Times are seconds from the day's begin. A change names an entry by its place in `entries`; an entry with changes runs
// until its first one. `changes` may be missing: then each entry runs until the next one comes.
#pragma once

#include <string>
#include <vector>

#include "tests/support/simulated_appliance.h"

namespace sessionlogd {

struct TraceTaken {
  unsigned appliances = 0;  // those of the lowest numbers; 0 = all
  unsigned hours = 24;      // what begins later is left out
};

// The sessions by appliance, in order of their starts, from 0 on: `start_ms` is to be moved to the day's begin. Throws
// std::runtime_error that names file and line.
std::vector<std::vector<test::PlannedSession>> read_trace(const std::string& path, const TraceTaken& taken);

}  // namespace sessionlogd
