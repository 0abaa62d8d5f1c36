// Reads [sink].
#pragma once

#include <cstddef>

#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

// `warnings` gets what is accepted but must be said at every start.
void read_sink(TableReader& table, std::size_t memory_bytes, SecretFiles files, SinkSettings& into,
               std::vector<std::string>& warnings);

}  // namespace sessionlogd
