// The state of sources that left the configuration: kept for a while, for people put things back. No I/O, no clock.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/restored_state.h"
#include "core/timestamp.h"

namespace sessionlogd {

class AbsentSources {
 public:
  explicit AbsentSources(std::chrono::milliseconds keep) : keep_(keep) {}

  // The source does not stand in the configuration; `now` by our clock. What must be remembered of that is appended to
  // `records`: since when, or, when that is longer ago than is kept, the removal of everything. true: removed.
  bool leave(const std::string& id, RestoredSource state, Instant now, std::vector<StateRecord>& records);

  // It stands in it (again). Empty when nothing is known of it.
  RestoredSource come_back(const std::string& id, std::vector<StateRecord>& records);

 private:
  const std::chrono::milliseconds keep_;
  std::map<std::string, RestoredSource> absent_;  // by id
};

}  // namespace sessionlogd
