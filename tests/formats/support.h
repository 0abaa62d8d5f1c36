// Events of one session in any format, as CountingState counts them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/entries/event.h"
#include "core/state/batch.h"
#include "sinks/formats/formats.h"

namespace sessionlogd::test {

// A source of id "src" and another name.
SourceSettings source();

// An event of every field that its kind has, hostile texts among them. What its views and its session point to lives
// as long as the program. The entry's number is its key.
Event event_of(EventKind kind, std::uint64_t session, std::uint64_t entry, std::string_view message = "Processing.");

// The same with the fewest fields.
Event bare_event_of(EventKind kind, std::uint64_t session, std::uint64_t entry);

// Its line, "\n" included.
std::string line_in(const Format& format, const Event& event);

// What the line says; nullopt: it is not ours. Only by the format's own reader.
class ReadLine {
 public:
  ReadLine(const Format& format, std::string_view line);
  const std::optional<WrittenEvent>& event() const { return event_; }

 private:
  std::string padded_;
  std::unique_ptr<LineReader> reader_;
  std::optional<WrittenEvent> event_;
};

// Entries first to first + count - 1 of a session, with the record that says so.
Batch batch_in(const Format& format, std::uint64_t session, std::uint64_t first, std::uint64_t count);

}  // namespace sessionlogd::test
