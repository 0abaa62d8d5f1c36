// The judge of the output; politeness.h judges the manners. It holds what the daemon wrote, in one of the formats,
// against what the fleet served. What a format does not say is not compared (see LineFormat).
//
// Every entry's last owed form must be written, else it is lost; forgiven is that only where the fleet says that a gap
// was due and the daemon says that there is one. What was never served is foreign. A form written twice is repeated,
// also under another event.id, and so is a number with more event.ids than entries. The forms of one entry must come in
// the order they were served.
#pragma once

#include <string>
#include <vector>

#include "bench/fleet/verdict.h"
#include "bench/fleet/written.h"

namespace fleet {

struct Reckoning {
  const LineFormat* format = &kEcsLines;
  // Forms in between that were served and never written are lost too: true when nothing was killed and no response was
  // broken.
  bool exact = false;
  bool gaps_allowed = false;
  bool complete = false;  // sessions that were not read to their end are a fault
};

// `events` are output files in the order they were written. Throws std::runtime_error when a file cannot be read.
Verdict reckon(const std::string& ledger, const std::vector<std::string>& events, const Reckoning& how);

}  // namespace fleet
