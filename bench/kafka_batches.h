// Batches as shards push them to a sink, for benches: of one session each, with lines of the size and shape that the
// encoder writes, and the session's rows.
#pragma once

#include <string>
#include <vector>

#include "core/state/batch.h"

namespace sessionlogd {

inline constexpr int kEventsPerBatch = 100;

std::string id_of_source(int number);

// Of so many sources in turn.
std::vector<Batch> make_batches(int batches, int sources);

}  // namespace sessionlogd
