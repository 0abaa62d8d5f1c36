// Reads [poll] and the [source.poll] tables that override it.
#pragma once

#include <cstddef>

#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

struct PollDefaults {
  PollSettings poll;
  bool retention_given = false;  // else the dialect's counts
};

// Overwrites what the table names; values that contradict each other or exceed `memory_bytes` are reported at the key
// given here.
void read_poll(TableReader& table, std::size_t memory_bytes, PollDefaults& into);

}  // namespace sessionlogd
