#include "core/state/state_row.h"

namespace sessionlogd::state_row {

void append_field(std::string& row, Tag tag, std::string_view bytes) {
  row += static_cast<char>(tag);
  std::size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) row += static_cast<char>(0x80 | (size & 0x7F));
  row += static_cast<char>(size);
  row += bytes;
}

void append_text(std::string& row, Tag tag, std::string_view text) {
  if (!text.empty()) append_field(row, tag, text);
}

void append_time(std::string& row, Tag tag, const std::optional<Instant>& at) {
  if (!at) return;
  std::string bytes;
  append_le(bytes, at->seconds);
  append_le(bytes, at->nanos);
  append_field(row, tag, bytes);
}

Instant read_time(std::string_view bytes) {
  if (bytes.size() < 12) throw StateMismatch("a row of the state is damaged: a time is cut short");
  return {read_le<std::int64_t>(bytes), read_le<std::uint32_t>(bytes.substr(8))};
}

}  // namespace sessionlogd::state_row
