// How long it took from an entry's appearance in its log to its event: what a source's neighbours must not change.
#pragma once

#include <string>
#include <vector>

#include "bench/fleet/times.h"

namespace fleet {

// Of the entries that appeared while the client was there (from `warm_up` after its first event on) and were written as
// new, in ECS, in rising order. Entries with twins are left out: nobody can tell which is which. Throws
// std::runtime_error when a file cannot be read.
std::vector<Nanos> delays(const std::string& ledger, const std::string& events, Nanos warm_up);

// {"events":...,"p50_ms":...,"p95_ms":...,"p99_ms":...,"max_ms":...}
std::string delays_as_json(const std::vector<Nanos>& sorted);

}  // namespace fleet
