// Reads one [[source]] table.
#pragma once

#include <string>
#include <vector>

#include "config/dialect_set.h"
#include "config/read_poll.h"
#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

// What a source is read against.
struct SourceContext {
  const PollDefaults& poll;
  std::size_t memory_bytes;
  DialectSet& dialects;
  SecretFiles secret_files;
};

// The result is complete only when nothing was reported; `warnings` gets what
// is accepted but must be said at every start.
SourceSettings read_source(TableReader& table, const SourceContext& context, std::vector<std::string>& warnings);

}  // namespace sessionlogd
