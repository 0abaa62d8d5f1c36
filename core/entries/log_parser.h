// Reads the response to a log request where it lies: each entry as raw tokens, its identity and content already hashed.
// Nothing is copied, and nothing unescaped unless a token has a backslash.
//
// A response of entries that were read before, but for a few, is passed from one to the next by their bytes, as far as
// the table of KnownEntries still has them. Others are walked along the index that simdjson makes of them. What is not
// plain JSON, although people may well send it (bytes that are no UTF-8, names with escapes), and what really is broken
// goes through core/json_text instead, which takes every entry before the fault.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/dialect.h"
#include "core/base/body.h"
#include "core/base/result.h"
#include "core/entries/entry.h"
#include "core/state/known_entries.h"

namespace sessionlogd {

struct SessionLog {
  std::vector<Entry> entries;  // in order of the response
  std::string fault;           // "": read to its end; else what is wrong behind the last entry, and where
  std::string more_elsewhere;  // "": this is all of it; else what beside it says that there is more, in words
  bool is_utf8 = true;         // false: not known to be
};

// How much of a response is taken in.
struct ResponseLimits {
  std::size_t entries = std::size_t{1} << 40;
  // So many where there is an index beside them, which takes up to four bytes for each of the body. 0: none is made.
  std::size_t indexed_entries = std::size_t{1} << 40;
  std::size_t largest_entry = std::size_t{1} << 40;  // in bytes
};

class LogWalk;

class LogParser : public FormerReadings {
 public:
  // Elements that are no entries become events, too: of a flood of them only so many, then the response counts as
  // broken.
  static constexpr std::size_t kMostUnreadable = 10'000;

  LogParser();
  ~LogParser() override;
  LogParser& operator=(LogParser&&) noexcept;

  // Parses `body` as the log of the session `session_id`, whose keys are seeded with `session_key`. Fails as
  // kBadResponse when it is no log at all (not JSON, another shape, nothing that proves it: log_envelope.h), that of
  // another session, or has more entries than `limits` allow. The log is valid until the next call, its views while
  // `body` is. `shift` is SessionState's.
  Result<const SessionLog*> parse(const Dialect& dialect, const Body& body, std::string_view session_id,
                                  std::uint64_t session_key, const ResponseLimits& limits = {},
                                  const Remembered& remembered = {}, TimeShift shift = {});

  // Reads an entry of that log that was known by its bytes.
  void complete(std::size_t index);

  FormerDigest former(std::uint32_t index) override;

 private:
  std::unique_ptr<LogWalk> walk_;
};

}  // namespace sessionlogd
