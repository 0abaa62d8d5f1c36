#include "core/base/visible_json.h"

#include <fmt/format.h>

#include <iterator>

#include "core/base/json_text.h"
#include "core/base/printable.h"

namespace sessionlogd {
namespace {

// Of valid UTF-8.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  char32_t value = size == 1 ? first : first & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  text.remove_prefix(size);
  return value;
}

void append_unit(std::string& out, char32_t unit) {
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(unit));
}

}  // namespace

void append_visible_json_string(std::string& out, std::string_view text) {
  std::string json;
  append_json_string(json, text);  // valid UTF-8 from here on
  for (std::string_view rest = json; !rest.empty();) {
    const std::string_view before = rest;
    const char32_t character = take_character(rest);
    if (!is_unprintable(character)) {
      out.append(before.substr(0, before.size() - rest.size()));
    } else if (character < 0x10000) {
      append_unit(out, character);
    } else {
      append_unit(out, 0xD800 + ((character - 0x10000) >> 10));
      append_unit(out, 0xDC00 + ((character - 0x10000) & 0x3FF));
    }
  }
}

}  // namespace sessionlogd
