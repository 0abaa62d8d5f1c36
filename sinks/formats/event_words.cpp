#include "sinks/formats/event_words.h"

#include "core/base/digits.h"
#include "core/base/hex.h"

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
  for (const EventKind kind : kAll<EventKind>) {
    if (text == word(kind)) return kind;
  }
  return std::nullopt;
}

bool read_identity(std::string_view id, std::string_view hash, Delivered& into) {
  return id.size() == 32 && read_hex(id.substr(0, 16), into.session_key) && read_hex(id.substr(16), into.entry_key) &&
         read_hex(hash, into.hash);
}

std::optional<Instant> read_time(std::string_view text) {
  const auto read = parse_rfc3339(text);
  return read && read->zoned ? std::optional(read->instant) : std::nullopt;
}

void append_milliseconds(std::string& out, Instant at) {
  const std::int64_t count = at.seconds * 1'000 + at.nanos / 1'000'000;
  constexpr std::int64_t kEightDigits = 100'000'000, kThirteenDigits = 10'000'000'000'000;
  if (count < kThirteenDigits / 10 || count >= kThirteenDigits) return append_number(out, count);
  // Between 2001 and 2286.
  char digits[16];
  put_digits(digits, static_cast<std::uint32_t>(count / kEightDigits));
  put_digits(digits + 8, static_cast<std::uint32_t>(count % kEightDigits));
  out.append(digits + 3, 13);
}

std::int64_t to_milliseconds(std::int64_t nanoseconds) {
  return nanoseconds / 1'000'000 - (nanoseconds % 1'000'000 < 0 ? 1 : 0);
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
