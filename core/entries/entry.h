// One element of a session's log as raw tokens, and what is computed from them for dedup.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/dialect.h"
#include "core/base/json_text.h"
#include "core/base/memory_shares.h"
#include "core/base/time_shift.h"
#include "core/base/timestamp.h"
#include "core/state/identity.h"
#include "core/state/session_history.h"

namespace sessionlogd {

// Points into the response. Small, and not cleared but where it must be: a large response makes many.
struct Entry {
  Entry() {}
  // Where it begins in the response.
  explicit Entry(const char* begin) : raw(begin, begin) {}

  // Raw JSON; empty = absent or null.
  std::string_view field(EntryField which) const { return field(static_cast<std::size_t>(which)); }
  std::string_view field(std::size_t which) const { return {raw.data() + tokens[which].begin, tokens[which].size}; }
  // Of a field that stands twice the first counts.
  void offer(std::size_t which, std::string_view token) {
    if (tokens[which].size != 0) return;
    tokens[which] = {static_cast<std::uint32_t>(token.data() - raw.data()), static_cast<std::uint32_t>(token.size())};
  }

  std::string_view raw;  // the whole element
  struct Token {
    std::uint32_t begin = 0, size = 0;  // in `raw`
  };
  std::array<Token, kEntryFields> tokens{};
  std::uint32_t hash = 0;              // identity.h: event_hash
  std::uint64_t base = 0;              // identity.h: entry_base
  const StatusWord* status = nullptr;  // nullptr: a word the dialect does not list, or none
  const char* fault = nullptr;         // why it cannot be read as an entry; nullptr = it can
  std::optional<ReadTime> log_time;
  std::optional<ReadTime> start;
  bool known = false;       // by its bytes: of what stands here only base, hash and final were found out
  bool final = true;        // its status is
  bool has_extra = false;   // it has fields that the dialect does not name
  bool has_escape = false;  // a backslash may stand in one of its tokens
  bool plain = false;       // its strings stand for their bytes: they are UTF-8 without escapes
};

// Appends the text of a field: of a string what it stands for, of a number its digits as they were written.
void append_field_text(std::string& out, std::string_view token);

// Computes everything in an Entry that follows from its tokens. Reuses its memory from entry to entry.
class EntryReader {
 public:
  // Whether the response is known to be valid UTF-8. Then a string without escapes is hashed where it lies.
  enum class Encoding { kUtf8, kUnchecked };

  // `entry.raw` and its tokens are set. An element that is no object has no tokens.
  void read(const Dialect& dialect, Entry& entry, std::uint64_t session_key, Encoding encoding);

  // How the version before read an entry that was read, and how it reads if its source rounds times.
  FormerDigest former(const Dialect& dialect, const Entry& entry, std::uint64_t session_key);

  // Larger elements are not read as entries: there is no memory for their events.
  void set_largest(std::size_t bytes) { largest_ = bytes; }
  // Identity and content have times as they were before their source wrote them shifted.
  void set_shift(TimeShift shift) { shift_ = shift; }

 private:
  enum class Reading {
    kNow,
    kEarlier,  // times a microsecond earlier
    kBefore,   // the version before: times to the digit, the year 1 among them, and nothing above 256 KiB
  };

  void read_times(const Dialect& dialect, Entry& entry);
  template <Reading reading>
  void add_identity(const std::vector<std::vector<EntryField>>& identity, const Entry& entry);
  template <Reading reading>
  void add_content(const Dialect& dialect, const Entry& entry);
  template <Reading reading>
  void add_field(const Entry& entry, EntryField field);
  template <Reading reading>
  Instant time_of(const Entry& entry, EntryField field);
  Instant before_shift(Instant at) const;
  std::string_view text_of(const Entry& entry, std::string_view token) {
    return entry.plain && is_string_token(token) ? inside_quotes(token) : decoded(token);
  }
  std::string_view decoded(std::string_view token);

  HashInput input_;
  std::string scratch_;
  std::size_t largest_ = MemoryShares().largest_entry;
  TimeShift shift_;
};

}  // namespace sessionlogd
