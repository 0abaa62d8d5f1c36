// Reads [sink].
#pragma once

#include <cstddef>

#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

void read_sink(TableReader& table, std::size_t memory_bytes, SinkSettings& into);

}  // namespace sessionlogd
