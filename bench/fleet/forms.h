// What a consumer could see of a session's entries: for every number the forms in which it was served. Which states are
// one form is said by the script that wrote them, and by nobody who reads them.
#pragma once

#include <span>
#include <string>

#include "bench/fleet/plan.h"
#include "bench/fleet/record.h"
#include "bench/fleet/session.h"

namespace fleet {

// Appends `"numbers":[...],"errors":[...]`, see ledger.h. `served` are the moments in their order, each once.
void append_forms(std::string& to, const Plan& plan, const Session& session, std::span<const Served> served,
                  Nanos freeze);

}  // namespace fleet
