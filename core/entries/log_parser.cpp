#include "core/entries/log_parser.h"

#include <fmt/core.h>

#include <utility>

#include "core/entries/log_walk.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Error no_log(std::string why) {
  Error error(ErrorKind::kBadResponse, std::move(why));
  error.worth_keeping = true;
  return error;
}

}  // namespace

LogParser::LogParser() : walk_(std::make_unique<LogWalk>()) {}
LogParser::~LogParser() = default;
LogParser& LogParser::operator=(LogParser&&) noexcept = default;

Result<const SessionLog*> LogParser::parse(const Dialect& dialect, const Body& body, std::string_view session_id,
                                           std::uint64_t session_key, const ResponseLimits& limits,
                                           const Remembered& remembered, TimeShift shift) {
  std::string_view text = body.text();
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty()) return Error(ErrorKind::kBadResponse, "the response to the log request is empty");

  walk_->start(dialect, session_key, limits, remembered, shift);
  if (!walk_->through(text)) return no_log("the response to the log request is not a JSON object");
  if (walk_->too_many) {
    return Error(ErrorKind::kBadResponse,
                 fmt::format("the response of {} bytes has more than {} entries, for which there is "
                             "no memory: raise daemon.memory if that is right",
                             body.size(), limits.entries));
  }
  using Refusal = LogEnvelope::Refusal;
  const Refusal refusal = walk_->envelope.refusal(session_id);
  if (refusal == Refusal::kNotAnArray)
    return no_log(fmt::format("the response's \"{}\" is not an array", dialect.log.entries));
  if (refusal == Refusal::kOtherSession)
    return Error(ErrorKind::kBadResponse, "the response is the log of another session");
  // Of broken JSON what proves it may stand behind the fault.
  if (refusal == Refusal::kNoLog && walk_->log.fault.empty()) {
    return no_log(fmt::format(
        "the response is JSON, but no log: it has no array \"{}\"{}", dialect.log.entries,
        dialect.log.session_id.empty() ? "" : fmt::format(", nor the session's id as \"{}\"", dialect.log.session_id)));
  }
  walk_->read_entries(text);
  SessionLog& log = walk_->log;
  if (log.fault.empty()) log.more_elsewhere = walk_->envelope.more_elsewhere(log.entries.size());
  return &log;
}

FormerDigest LogParser::former(std::uint32_t index) { return walk_->former(walk_->log.entries[index]); }

void LogParser::complete(std::size_t index) { walk_->complete(walk_->log.entries[index]); }

}  // namespace sessionlogd
