// What makes a session and an entry themselves, and when an entry has changed: the byte layout of everything that is
// hashed.
//
// Changing any of this would emit a whole fleet again. tests/core/state/identity_test.cpp holds golden vectors.
//
//   session_key = XXH3-64(source_id "/" session_id, seed = generation); where that text has at most 8 bytes and the
//                 generation is not 0: XXH3-64(session_key of generation 0:u64le generation:u32le)
//   entry_base  = XXH3-64(identity, seed = session_key)
//   entry_key   = entry_base for the first of its twins, XXH3-64(entry_base:u64le ordinal:u32le, seed = session_key)
//                 for the ordinal-th, counted from 1 for the second
//   event_hash  = the low 32 bits of XXH3-64(content, seed = 0)
//
// identity is the identity fields in the dialect's order; content the status, then, once the status is final, the other
// content fields. Each field is one of
//
//   time    't' seconds:i64le nanoseconds:u32le
//   text    's' size:u32le bytes (decoded UTF-8; of a number its text)
//   absent  'n'
//   raw     'r' size:u32le bytes (as it stood in the response)
//
// Times are truncated to microseconds: of an instant that a source shows with seven digits its database keeps six. A
// time without a zone counts as UTC, whatever the source's `time_zone`. The year 1 stands for no time, but of a log
// time.
//
//   gap         = the entry_base of raw "gap" for the first of its session that was given up; of all others that of raw
//                 "gap", raw "given up" or "may be missing", raw its number among those of its kind, from 0
//   sum         = the sum, modulo 2^32, of the low 32 bits of XXH3-64(low half of the key:u32le hash:u32le) of each
//                 entry
//
// An entry whose identity cannot be read has its identity fields as raw; one that is no object at all is one raw: its
// bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/timestamp.h"

namespace sessionlogd {

std::uint64_t session_key(std::string_view source_id, std::string_view session_id, std::uint32_t generation = 0);

// Builds the bytes of one identity or content; used again for the next.
class HashInput {
 public:
  void clear() { size_ = 0; }
  void add_time(Instant at) {
    char* to = room(1 + sizeof(at.seconds) + sizeof(at.nanos));
    *to = 't';
    std::memcpy(to + 1, &at.seconds, sizeof(at.seconds));
    std::memcpy(to + 1 + sizeof(at.seconds), &at.nanos, sizeof(at.nanos));
  }
  void add_text(std::string_view utf8) { add_sized('s', utf8); }
  void add_absent() { *room(1) = 'n'; }
  void add_raw(std::string_view token) { add_sized('r', token); }

  std::uint64_t entry_base(std::uint64_t session_key) const;
  std::uint32_t event_hash() const;

 private:
  void add_sized(char kind, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    char* to = room(1 + sizeof(size) + size);
    *to = kind;
    std::memcpy(to + 1, &size, sizeof(size));
    if (size > 0) std::memcpy(to + 1 + sizeof(size), text.data(), size);
  }
  // The next so many bytes of the input.
  char* room(std::size_t bytes) {
    if (bytes_.size() - size_ < bytes) grow(bytes);
    return bytes_.data() + std::exchange(size_, size_ + bytes);
  }
  void grow(std::size_t more);

  std::vector<char> bytes_;  // the first size_ of them
  std::size_t size_ = 0;
};

// Why entries of a session are not, or may not be, among the events.
enum class GapKind { kGivenUp, kMayBeMissing };
std::uint64_t gap_key(GapKind kind, std::uint32_t number, std::uint64_t session_key);

// What one entry adds to a session's sum.
std::uint32_t sum_share(std::uint64_t entry_key, std::uint32_t hash);

std::uint64_t twin_key(std::uint64_t entry_base, std::uint32_t ordinal, std::uint64_t session_key);

}  // namespace sessionlogd
