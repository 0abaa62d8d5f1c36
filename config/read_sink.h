// Reads [sink].
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

struct SinkContext {
  std::span<const std::string_view> formats;  // that there are
  std::size_t memory_bytes;                   // daemon.memory
  SecretFiles files;
};

// `warnings` gets what is accepted but must be said at every start.
void read_sink(TableReader& table, const SinkContext& context, SinkSettings& into, std::vector<std::string>& warnings);

}  // namespace sessionlogd
