// The state of a source that left the configuration is kept for a while, for people put things back. No I/O, no clock.
#pragma once

#include <chrono>
#include <vector>

#include "core/base/timestamp.h"
#include "core/state/batch.h"
#include "core/state/restored_state.h"

namespace sessionlogd {

// The source does not stand in the configuration; `now` by our clock. What must be remembered of that is appended to
// `records`: since when, or, when that is longer ago than `keep`, the removal of everything. true: removed.
bool mark_absent(RestoredSource& state, std::chrono::milliseconds keep, Instant now, std::vector<StateRecord>& records);

// It stands in it (again).
void mark_present(RestoredSource& state, std::vector<StateRecord>& records);

}  // namespace sessionlogd
