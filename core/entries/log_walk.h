// The ways through a response to a log request, of which LogParser takes the cheapest: past the entries that are known
// by their bytes (log_walk.cpp, with core/known_entries), along simdjson's index (log_walk_index.cpp), along the text
// (log_walk.cpp, with core/json_text). Kept from one response to the next for its memory.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/json_index.h"
#include "core/base/json_text.h"
#include "core/entries/log_envelope.h"
#include "core/entries/log_parser.h"

namespace sessionlogd {

class LogWalk {
 public:
  // No name of a dialect is so long, however it is escaped: longer keys are not decoded.
  static constexpr std::size_t kLongestToken = 16u << 10;

  void start(const Dialect& dialect, std::uint64_t session_key, const ResponseLimits& limits,
             const Remembered& remembered, TimeShift shift) {
    dialect_ = &dialect;
    session_key_ = session_key;
    limits_ = limits;
    reader_.set_largest(limits.largest_entry);
    reader_.set_shift(shift);
    remembered_ = remembered;
  }

  // false: no log at all.
  bool through(std::string_view text);
  // Finds out what the entries are. The log ends where too many cannot be read.
  void read_entries(std::string_view text);
  void complete(Entry& entry);
  FormerDigest former(Entry& entry) {
    complete(entry);
    return reader_.former(*dialect_, entry, session_key_);
  }

  SessionLog log;
  LogEnvelope envelope;
  bool too_many = false;  // entries

 private:
  static constexpr std::size_t kNotAField = kEntryFields;
  // Shorter than any object that says something: {"id":1}.
  static constexpr std::size_t kShortestEntry = 8;

  void clear() {
    log.entries.clear();
    log.fault.clear();
    log.more_elsewhere.clear();
    log.is_utf8 = false;
    shape_ = {};
    unreadable_ = 0;
    too_many = false;
    most_entries_ = limits_.entries;
    envelope.begin(dialect_->log);
  }

  bool with_index(std::string_view text);
  bool with_cursor(std::string_view text);
  bool indexed_elements();
  bool indexed_element();
  bool indexed_field(Entry& entry, std::size_t member);
  std::string_view take_nested();
  char next() const { return text_.data()[*at_]; }  // not text_[]: at the end that is the byte behind it

  std::string_view take_token();
  std::string_view take_key();
  std::string_view take_value();
  // Tokens are asked in order of the text, so it is searched once.
  bool has_escape(std::string_view token) {
    if (escape_ < token.data()) find_escape(token.data());
    return escape_ < token.data() + token.size();
  }
  void find_escape(const char* from) {
    const char* end = text_.data() + text_.size();
    const void* found = std::memchr(from, '\\', static_cast<std::size_t>(end - from));
    escape_ = found == nullptr ? end : static_cast<const char*>(found);
  }

  bool take_known(std::string_view text, JsonCursor& cursor);
  void element(std::string_view raw);
  void read_tokens(Entry& entry);

  // Whether there is to be another entry behind the last; if not, why is said. `position` is where the next one begins.
  bool takes_more(std::size_t position) {
    if (!log.entries.empty() && !is_readable(log.entries.back().raw)) ++unreadable_;
    if (unreadable_ == LogParser::kMostUnreadable) say_unreadable(position);
    too_many = log.entries.size() == most_entries_;
    return !has_ended();
  }
  bool has_ended() const { return !log.fault.empty() || too_many; }
  static bool is_readable(std::string_view raw) { return raw.size() >= kShortestEntry && raw.front() == '{'; }
  void say_unreadable(std::size_t position);
  std::size_t field_of(std::string_view key) const;

  EntryReader reader_;
  const Dialect* dialect_ = nullptr;
  std::uint64_t session_key_ = 0;
  Remembered remembered_;
  ResponseLimits limits_;
  std::size_t most_entries_ = 0;  // on the way in hand
  std::size_t unreadable_ = 0;

  // By index: where the walk is.
  JsonIndex index_;
  std::string_view text_;              // a byte 0 follows it
  const std::uint32_t* at_ = nullptr;  // text_.size() behind the last
  const char* escape_ = nullptr;       // the first backslash that was not passed yet, else the end of the text
  // What the members of the entry before were called: responses repeat one shape.
  struct Member {
    std::string_view key;  // with its quotes
    std::size_t field = kNotAField;
  };
  std::array<Member, 16> shape_;

  // Along the text.
  KnownEntryFinder known_;
  std::string key_;
};

}  // namespace sessionlogd
