// What a commit leaves of its rows: of those with one address only the last counts. Of a session that is done with at
// its first read, say, every row of its history is put and removed in the same commit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/state/batch.h"

namespace sessionlogd {

class LatestRows {
 public:
  struct Row {
    const std::string* source_id;
    const StateRecord* record;
    std::size_t number;  // in the commit
  };

  // In no particular order. Valid until the next call, and as long as the batches are.
  std::span<const Row> of(std::span<const Batch> batches);

 private:
  std::vector<Row> rows_;
};

}  // namespace sessionlogd
