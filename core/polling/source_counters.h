// What became of one source's requests and entries, counted.
#pragma once

#include <atomic>
#include <cstdint>

namespace sessionlogd {

enum class PollMode {
  kForever,
  kOnePass,  // list once, read every session that is due once, then end
};

// Written by the shard, read by anyone. A source that is changed by a reload goes on with those it has.
struct SourceCounters {
  std::atomic<std::uint64_t> sessions = 0;  // found and not done before
  std::atomic<std::uint64_t> read = 0;      // of those, read at least once
  std::atomic<std::uint64_t> polls_new = 0, polls_changed = 0, polls_unchanged = 0, polls_failed = 0;
  std::atomic<std::uint64_t> entries = 0;  // in answers that were read
  std::atomic<std::uint64_t> events_new = 0, events_changed = 0, events_error = 0, events_gap = 0;
  std::atomic<std::uint64_t> late = 0;         // sessions that only a sweep brought up
  std::atomic<std::uint64_t> verify_late = 0;  // entries that only verify brought up
  std::atomic<std::uint64_t> not_json = 0;     // answers that were no JSON, broken JSON, or JSON that is no log
  std::atomic<std::uint64_t> not_utf8 = 0;     // events in which bytes that are no UTF-8 were replaced
  std::atomic<bool> listed = false;            // at least one listing was complete
  std::atomic<bool> failing = false;  // its last listing failed, or its logs cannot be read; (one pass) some cannot

  std::uint64_t events() const { return events_new + events_changed + events_error + events_gap; }
};

}  // namespace sessionlogd
