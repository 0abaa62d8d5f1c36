// Tells whether a line of the output is an event that we wrote, and which entry it is. The one place that reads JSON in
// the sinks.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "core/sink.h"

namespace sessionlogd {

class OutputLineReader {
 public:
  // What must be readable behind a line, whatever it holds.
  static constexpr std::size_t kPadding = 64;

  OutputLineReader();
  ~OutputLineReader();

  // `line` is without its "\n"; kPadding bytes behind it are readable. The views in the answer hold until the next call
  // or until the line's bytes change.
  //
  // Ours is one JSON object that is valid to its last byte (UTF-8 and every value included), begins with the line, and
  // has event.id (32 hex digits), event.hash (8 hex digits), sessionlog.session_id and sessionlog.source_id or, without
  // that, sessionlog.source.
  std::optional<Delivered> read(const char* line, std::size_t size);

  // Gives back what a huge line took.
  void shrink();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// Whether bytes are text as people and programs write it: no control character but tabs and ends of lines.
bool is_text(std::string_view bytes);

// Whether a whole line that is not ours was written by another program. What begins like JSON must be JSON: else it may
// be one of ours that was cut short. What begins with a blank may be left of a line that is being blanked.
bool is_of_another_program(std::string_view line);

}  // namespace sessionlogd
