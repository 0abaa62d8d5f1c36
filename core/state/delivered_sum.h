// Finds in a session's log what was delivered of it when it was done, where only the sum over that is left
// (identity.h). What came since stands behind it: in order of the response, or in order of the log time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/state/session_history.h"

namespace sessionlogd {

// The entries of `log` that the sum is of, in the order in which they come first: all of it, or its first ones in order
// of the response or of `by_time`, which orders all of it. nullopt: neither is what was delivered.
std::optional<std::vector<std::uint32_t>> find_delivered(std::uint32_t sum, std::span<const EntryDigest> log,
                                                         std::span<const std::uint32_t> by_time,
                                                         std::uint64_t session_key);

}  // namespace sessionlogd
