// One event, normalised: everything a format writes, as values and views. Formats only spell it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/dialect.h"
#include "core/base/line_buffer.h"
#include "core/base/timestamp.h"
#include "core/state/session_info.h"

namespace sessionlogd {

enum class EventKind : std::uint8_t {
  kNew,
  kChanged,
  kError,  // the entry could not be read
  kGap,    // entries of the session were lost before they could be read
};

// The views are valid while the event is encoded. Texts are UTF-8 as decoded; "" = absent.
struct Event {
  EventKind kind = EventKind::kNew;
  std::uint64_t session_key = 0;
  std::uint64_t entry_key = 0;
  std::uint32_t hash = 0;

  Instant timestamp;  // the log time; of an error event the time it was read
  Instant created;    // when it was read
  std::optional<Instant> start, end;
  std::optional<std::int64_t> duration_ns;
  Outcome outcome = Outcome::kUnknown;
  Level level = Level::kInfo;

  bool has_message = false;  // "" is a message too
  std::string_view message;
  std::string_view log_time, status, duration;  // raw texts
  std::string_view resource_id;
  std::string_view extra;     // the entry's unknown fields as a JSON object, "" = none
  std::string_view original;  // the raw JSON of the entry, "" = not kept
  std::string_view fault;     // of an error or gap event: what was wrong

  const SessionInfo* session = nullptr;

  // As Delivered has it: nullopt of a gap and of an entry that could not be read.
  std::optional<Instant> delivered_log_time() const {
    const bool has_one = (kind == EventKind::kNew || kind == EventKind::kChanged) && !log_time.empty();
    return has_one ? std::optional(timestamp) : std::nullopt;
  }
};

// Appends an event as the sink's format wants it, its ending newline included. One per source: what never changes is
// made once.
class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void append(const Event& event, LineBuffer& out) = 0;
};

}  // namespace sessionlogd
