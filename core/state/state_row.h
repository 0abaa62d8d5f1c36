// How durable rows are written: lists of (tag u8, size LEB128, bytes). A tag that is not known is skipped, so a newer
// version may add and an older one can still read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/timestamp.h"
#include "core/state/sink.h"

namespace sessionlogd::state_row {

// Never reuse a number.
enum class Tag : std::uint8_t {
  kPhase = 1,
  kDigest = 2,
  kLatest = 3,
  kId = 4,
  kType = 5,
  kName = 6,
  kParent = 7,
  kStatus = 8,
  kStart = 9,
  kStop = 10,
  kKeys = 11,
  kListedTo = 12,
  kFloor = 13,
  kOnlyAfter = 14,
  kAbsentSince = 15,
  kDeliveredSum = 16,
  // Of a done mark.
  kMarkKind = 20,
  kMade = 21,
  kSum = 22,
  kStopHash = 23,
  kMissedSince = 24,
  kFingerprints = 25,
  // Of a source.
  kLine = 26,
  kContactOver = 27,
  kWatched = 28,
  kWatchedOurs = 29,
  kWatchedTheirs = 30,
  kSweeps = 31,
  kSweepPlace = 32,
  kReading = 33,
  kBefore = 34,
  kIdleSweeps = 35,
  kLineLimit = 36,
  kVerifyPlace = 37,
  kVerified = 38,
  kFaultySweeps = 39,
  // Of a session.
  kFinalSince = 40,
  kNewsAt = 41,
  kLateSince = 42,
  kLackingSince = 43,
  kLackingReads = 44,
  kShift = 45,  // of a done mark, too
};

template <class T>
void append_le(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <class T>
T read_le(std::string_view bytes) {
  T value;
  if (bytes.size() < sizeof(T)) throw StateMismatch("a row of the state is damaged: a number is cut short");
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

void append_field(std::string& row, Tag tag, std::string_view bytes);
void append_text(std::string& row, Tag tag, std::string_view text);  // none when it is ""
void append_time(std::string& row, Tag tag, const std::optional<Instant>& at);

template <class T>
void append_number(std::string& row, Tag tag, T value) {
  std::string bytes;
  append_le(bytes, value);
  append_field(row, tag, bytes);
}

Instant read_time(std::string_view bytes);

// Calls on_field(tag, bytes) for each field of a row. Throws StateMismatch when it is cut short.
template <class OnField>
void read_fields(std::string_view row, OnField on_field) {
  while (!row.empty()) {
    const auto tag = static_cast<Tag>(row.front());
    row.remove_prefix(1);
    std::size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (row.empty() || shift > 28) throw StateMismatch("a row of the state is damaged: a size is cut short");
      const auto byte = static_cast<unsigned char>(row.front());
      row.remove_prefix(1);
      size |= std::size_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
    if (size > row.size()) throw StateMismatch("a row of the state is damaged: a field is cut short");
    on_field(tag, row.substr(0, size));
    row.remove_prefix(size);
  }
}

}  // namespace sessionlogd::state_row
