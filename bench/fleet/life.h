// What may become of a session besides beginning and ending: it is deleted, opened again, never ends, began long ago,
// has the id of an older one, has a start that is corrected or a log that is not whole. Decided by the session's seed,
// one fate at most, since some of them contradict each other.
#pragma once

#include <cstddef>

#include "bench/fleet/plan.h"
#include "bench/fleet/session.h"

namespace fleet {

void give_life(Session& session, const Plan& plan, std::size_t appliance, std::size_t index);

}  // namespace fleet
