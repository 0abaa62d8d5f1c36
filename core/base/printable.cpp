#include "core/base/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "core/base/utf8.h"

namespace sessionlogd {
namespace {

bool is_between(char32_t value, char32_t first, char32_t last) { return value >= first && value <= last; }

void append_escaped(std::string& out, char32_t value) {
  const auto at = std::back_inserter(out);
  switch (value) {
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (value < 0x80) {
        fmt::format_to(at, "\\x{:02x}", static_cast<unsigned>(value));
      } else {
        fmt::format_to(at, "\\u{:04x}", static_cast<unsigned>(value));
      }
  }
}

template <class Refuse>
std::string escape(std::string_view text, Refuse refuse) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text), size = std::max<std::size_t>(length, 1);
    if (length == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (const char32_t value = utf8_value(text, length); refuse(value)) {
      append_escaped(out, value);
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return out;
}

// What Unicode counts as white space beside the control characters.
bool is_blank(char32_t value) {
  return value == ' ' || value == 0xA0 || value == 0x1680 || is_between(value, 0x2000, 0x200A) || value == 0x202F ||
         value == 0x205F || value == 0x3000;
}

}  // namespace

bool is_unprintable(char32_t value) {
  return value < 0x20 || is_between(value, 0x7F, 0x9F) ||                           // C0, DEL, C1
         value == 0xAD || value == 0x61C || value == 0x180E ||                      // soft hyphen, marks
         is_between(value, 0x200B, 0x200F) || is_between(value, 0x2028, 0x202E) ||  // no width, lines, direction
         is_between(value, 0x2060, 0x206F) || value == 0xFEFF ||  // joiners, isolates, byte order mark
         is_between(value, 0xFFF9, 0xFFFB) || is_between(value, 0xE0000, 0xE007F);  // annotations, tags
}

std::string printable(std::string_view text) { return escape(text, is_unprintable); }

std::string printable_word(std::string_view text) {
  return escape(text, [](char32_t value) { return is_unprintable(value) || is_blank(value) || value == '\\'; });
}

}  // namespace sessionlogd
