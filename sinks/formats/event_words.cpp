#include "sinks/formats/event_words.h"

#include <charconv>

namespace sessionlogd {

std::string_view word(Level level) {
  switch (level) {
    case Level::kError:
      return "error";
    case Level::kWarning:
      return "warning";
    case Level::kNotice:
      return "notice";
    case Level::kInfo:
      break;
  }
  return "info";
}

std::string_view word(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess:
      return "success";
    case Outcome::kFailure:
      return "failure";
    case Outcome::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view word(EventKind kind) {
  switch (kind) {
    case EventKind::kNew:
      return "new";
    case EventKind::kChanged:
      return "changed";
    case EventKind::kGap:
      return "gap";
    case EventKind::kError:
      break;
  }
  return "error";
}

std::optional<EventKind> change_of(std::string_view text) {
  for (const EventKind kind : {EventKind::kNew, EventKind::kChanged, EventKind::kError, EventKind::kGap}) {
    if (text == word(kind)) return kind;
  }
  return std::nullopt;
}

void append_milliseconds(std::string& out, Instant at) {
  char digits[24];
  const std::int64_t count = at.seconds * 1'000 + at.nanos / 1'000'000;
  out.append(digits, std::to_chars(digits, digits + sizeof digits, count).ptr);
}

bool KeptSession::changes_to(const SessionInfo& session) {
  const bool same =
      any_ && id_ == session.id && type_ == session.type && name_ == session.name && parent_ == session.parent;
  if (same) return false;
  any_ = true;
  id_ = session.id;
  type_ = session.type;
  name_ = session.name;
  parent_ = session.parent;
  return true;
}

}  // namespace sessionlogd
