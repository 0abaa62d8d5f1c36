// What may become of a session besides beginning and ending: it is deleted, opened again, never ends, began long ago,
// or has the id of an older one. Decided by the session's seed, one fate at most.
#pragma once

#include <cstddef>

#include "bench/fleet/plan.h"
#include "bench/fleet/session.h"

namespace fleet {

void give_life(Session& session, const Plan& plan, std::size_t appliance, std::size_t index);

}  // namespace fleet
