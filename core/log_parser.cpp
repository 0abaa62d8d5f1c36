#include "core/log_parser.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/log_walk.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool same_session(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

LogParser::LogParser() : walk_(std::make_unique<LogWalk>()) {}
LogParser::~LogParser() = default;
LogParser& LogParser::operator=(LogParser&&) noexcept = default;

Result<const SessionLog*> LogParser::parse(const Dialect& dialect, const Body& body, std::string_view session_id,
                                           std::uint64_t session_key, const AnswerLimits& limits,
                                           const Remembered& remembered) {
  std::string_view text = body.text();
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty()) return Error(ErrorKind::kBadAnswer, "the answer to the log request is empty");

  walk_->start(dialect, session_key, limits, remembered);
  if (!walk_->through(text)) {
    return Error(ErrorKind::kBadAnswer, "the answer to the log request is not a JSON object");
  }
  if (walk_->not_an_array) {
    return Error(ErrorKind::kBadAnswer, fmt::format("the answer's \"{}\" is not an array", dialect.log.entries));
  }
  if (walk_->too_many) {
    return Error(ErrorKind::kBadAnswer,
                 fmt::format("the answer of {} bytes has more than {} entries, for which there is "
                             "no memory: raise daemon.memory if that is right",
                             body.size(), limits.entries));
  }
  if (!walk_->named_session.empty()) {
    std::string named;
    if (walk_->named_session.size() <= LogWalk::kLongestToken) append_field_text(named, walk_->named_session);
    if (!same_session(named, session_id)) {
      return Error(ErrorKind::kBadAnswer, "the answer is the log of another session");
    }
  }
  walk_->read_entries(text);
  return &walk_->log;
}

void LogParser::complete(std::size_t index) { walk_->complete(walk_->log.entries[index]); }

}  // namespace sessionlogd
