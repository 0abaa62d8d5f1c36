// Responses to log requests, spelled out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/body.h"
#include "core/entries/log_parser.h"
#include "tests/core/built_in.h"

namespace sessionlogd::test {

inline constexpr std::uint64_t kSessionKey = 0x0123456789abcdef;

// Parses responses as the log of session "s1".
class LogText {
 public:
  explicit LogText(const Dialect& dialect) : dialect_(dialect) {}

  Result<const SessionLog*> parse(std::string_view text, const Remembered& remembered = {}) {
    body_.clear();
    body_.append(text);
    return parser_.parse(dialect_, body_, "s1", kSessionKey, {}, remembered);
  }
  // Reads what was known by its bytes after all.
  void complete(std::size_t index) { parser_.complete(index); }
  // What else the entries of the response may have been.
  FormerReadings& former() { return parser_; }
  FormerDigest former_of(std::string_view raw) { return entry(raw), parser_.former(0); }
  // Of a response that is a log.
  const SessionLog& read(std::string_view text) { return *parse(text).value(); }
  // Of an entry on its own; valid until the next call.
  const Entry& entry(std::string_view raw) { return read(R"({"log":[)" + std::string(raw) + "]}").entries.at(0); }

 private:
  const Dialect& dialect_;
  Body body_;
  LogParser parser_;
};

}  // namespace sessionlogd::test
