// Tells whether a line of the output is an event that we wrote, in any format, and which entry it is.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sinks/formats/formats.h"

namespace sessionlogd {

class OutputLineReader {
 public:
  // What must be readable behind a line, whatever it holds.
  static constexpr std::size_t kPadding = LineReader::kPadding;

  OutputLineReader();

  // Whether a line that begins like this may be ours. `text` is not empty.
  static bool may_begin(std::string_view text);

  // `line` is without its "\n"; kPadding bytes behind it are readable. The views in the result hold until the next call
  // or until the line's bytes change.
  std::optional<Delivered> read(const char* line, std::size_t size);

  // Of the line that was ours last: its format, and all that it says.
  const Format& format() const { return *formats()[last_]; }
  const WrittenEvent& event() const { return event_; }

  // Gives back what a huge line took.
  void shrink();

 private:
  bool read_as(std::size_t format, std::string_view line);

  std::vector<std::unique_ptr<LineReader>> readers_;  // one for each of formats()
  std::size_t last_ = 0;                              // the format of the line that was ours last
  WrittenEvent event_;
};

// Whether bytes are text as people and programs write it: no control character but tabs, ends of lines ("\n" or "\r\n")
// and the ESC of colours. What a crash leaves has others: mostly NUL.
bool is_text(std::string_view bytes);

// Whether a whole line that is not ours was written by another program. What begins like JSON must be JSON: else it may
// be one of ours that was cut short, as may what begins like a line of another format. What begins with a blank may be
// left of a line that is being blanked.
bool is_of_another_program(std::string_view line);

}  // namespace sessionlogd
