#include "sinks/formats/clean_text.h"

#include <algorithm>

namespace sessionlogd {

bool is_clean(std::string_view line) {
  unsigned char controls = 0;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    controls |= static_cast<unsigned char>((byte < 0x20) & (byte != '\t')) | static_cast<unsigned char>(byte == 0x7F);
  }
  return controls == 0 && is_utf8(line);
}

std::size_t kept_size(std::string_view text, std::size_t excess) {
  std::size_t kept = text.size() - std::min(text.size(), excess);
  if (kept == text.size()) return kept;
  while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xC0) == 0x80) --kept;
  std::size_t backslashes = 0;
  while (backslashes < kept && text[kept - 1 - backslashes] == '\\') ++backslashes;
  return kept - backslashes % 2;
}

}  // namespace sessionlogd
