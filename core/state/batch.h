// What one step of a poll or of a listing produced: encoded events and the state changes that belong to them. Made by a
// shard, made durable by the sink, in one piece.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/timestamp.h"

namespace sessionlogd {

// One row of durable state. Rows of one source are addressed by (session_key, part): the sink stores them, only
// core/session_state reads the value.
struct StateRecord {
  static constexpr std::int32_t kSourcePart = -2;   // the source's own row; session_key 0
  static constexpr std::int32_t kSessionPart = -1;  // the session's row, or its done mark
                                                    // 0, 1, ...: its keys in arrival order, kKeysPerChunk each

  std::uint64_t session_key = 0;
  std::int32_t part = kSourcePart;
  std::string value;  // empty: the row is removed
};

// Which entry a line of Batch::events is.
struct EventRef {
  std::uint32_t size;  // bytes of its line, the "\n" included
  std::uint64_t entry_key;
  std::uint32_t hash;
  std::optional<Instant> log_time = std::nullopt;  // as Delivered has it
};

// All events of a batch belong to one session of one source. Batches of one session are committed in the order they
// were pushed.
struct Batch {
  std::string source_id;
  std::string session_id;         // of the events; "" in a batch without events
  std::uint64_t session_key = 0;  // of the events
  std::string events;             // lines, each ended by "\n"
  std::vector<EventRef> index;    // one per line, in order
  std::vector<StateRecord> records;
  std::chrono::steady_clock::time_point read_at{};  // when the response had been read

  // What it takes in memory.
  std::size_t bytes() const {
    std::size_t sum = sizeof(*this) + source_id.size() + session_id.size() + events.capacity() +
                      index.capacity() * sizeof(EventRef) + records.capacity() * sizeof(StateRecord);
    for (const StateRecord& record : records) sum += record.value.capacity();
    return sum;
  }
};

}  // namespace sessionlogd
