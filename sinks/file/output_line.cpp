#include "sinks/file/output_line.h"

#include <algorithm>

#include "core/base/json_text.h"

namespace sessionlogd {

OutputLineReader::OutputLineReader() {
  for (const Format* format : formats()) readers_.push_back(format->reader());
}

bool OutputLineReader::may_begin(std::string_view text) {
  return std::ranges::any_of(
      formats(), [&](const Format* format) { return text.starts_with(format->opening.substr(0, text.size())); });
}

// The next line is of the same format, mostly: a file has one.
std::optional<Delivered> OutputLineReader::read(const char* line, std::size_t size) {
  const std::string_view text(line, size);
  bool ours = read_as(last_, text);
  for (std::size_t format = 0; !ours && format < readers_.size(); ++format)
    ours = format != last_ && read_as(format, text);
  return ours ? std::optional(event_.entry) : std::nullopt;
}

bool OutputLineReader::read_as(std::size_t format, std::string_view line) {
  if (!line.starts_with(formats()[format]->opening)) return false;
  const std::optional<WrittenEvent> event = readers_[format]->read(line);
  if (!event) return false;
  last_ = format;
  event_ = *event;
  return true;
}

void OutputLineReader::shrink() {
  for (const auto& reader : readers_) reader->shrink();
}

bool is_text(std::string_view bytes) {
  constexpr unsigned char kEscape = 0x1B;
  return std::ranges::all_of(bytes, [](unsigned char c) {
    return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t' || c == kEscape;
  });
}

bool is_of_another_program(std::string_view line) {
  if (line.empty() || line.front() == ' ' || !is_text(line)) return false;
  return line.front() == '{' ? is_json(line) : !OutputLineReader::may_begin(line);
}

}  // namespace sessionlogd
