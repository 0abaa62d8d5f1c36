// How every format spells what an event has of few values, and times.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/timestamp.h"
#include "core/entries/event.h"
#include "core/state/session_info.h"

namespace sessionlogd {

std::string_view word(Level level);      // info, notice, warning, error
std::string_view word(Outcome outcome);  // success, failure, unknown
std::string_view word(EventKind kind);   // new, changed, error, gap

std::optional<EventKind> change_of(std::string_view word);

// Milliseconds since 1970, rounded down, as a decimal number.
void append_milliseconds(std::string& out, Instant at);

// The text of a time, kept: the next event may well have the same.
class WrittenTime {
 public:
  explicit WrittenTime(void (*spell)(std::string&, Instant) = append_rfc3339) : spell_(spell) {}
  std::string_view text(Instant at) {
    if (at != at_ || text_.empty()) {
      at_ = at;
      text_.clear();
      spell_(text_, at);
    }
    return text_;
  }

 private:
  void (*spell_)(std::string&, Instant);
  Instant at_;
  std::string text_;
};

// The session of the event before: the next is of the same one, mostly, and what stands of it in a line is kept.
class KeptSession {
 public:
  // Whether it is another one, or says something else; it is kept then.
  bool changes_to(const SessionInfo& session);

 private:
  bool any_ = false;
  std::string id_, type_, name_, parent_;
};

}  // namespace sessionlogd
