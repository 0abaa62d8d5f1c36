// What of a source says how its logs are read and where its events go.
#pragma once

#include <cstdint>
#include <string>

#include "config/dialect.h"
#include "core/base/time_zone.h"
#include "core/entries/event.h"
#include "core/state/batch_queue.h"

namespace sessionlogd {

// 1, 2, ...: no two formats have the same, so that what was read by one is not believed by another.
std::uint64_t next_format_number();

// What of a source the reader needs; made once per source.
struct SourceFormat {
  std::string source_id;
  const Dialect* dialect = nullptr;
  ZoneRules zone;
  bool keep_original = false;
  bool only_final = false;
  Encoder* encoder = nullptr;
  BatchQueue* queue = nullptr;  // what is read goes there
  std::uint64_t number = next_format_number();
};

}  // namespace sessionlogd
