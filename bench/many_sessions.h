// The state of a million sessions, for the programs that measure a start with all of them remembered.
#pragma once

#include <cstdint>
#include <vector>

#include "config/settings.h"
#include "core/polling/session_list.h"
#include "core/state/batch.h"
#include "core/state/restored_state.h"
#include "core/state/session_history.h"

namespace sessionlogd {

inline constexpr std::uint32_t kManySessions = 1'000'000, kKnownEntries = 20;
inline constexpr std::uint32_t kOneOpenOf = 10;  // sessions; the others are done
inline constexpr std::uint32_t kSessionsPerSource = 1'000;

// Of any number of sources.
SourceSettings some_source();

ListedSession listed_session(std::uint32_t number);

void know_entries(SessionHistory& history, std::uint64_t seed);

// The rows of one source's sessions, in one batch.
std::vector<Batch> rows_of_source(std::uint32_t source);

// As a start does: every source takes its part. The number of sessions that are then known.
std::size_t hand_out(RestoredState& restored);

}  // namespace sessionlogd
