#include "bench/fleet/written.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace fleet {

const LineFormat& line_format(std::string_view name) {
  for (const LineFormat* format : kLineFormats) {
    if (format->name == name) return *format;
  }
  throw std::invalid_argument("the judge reads no format " + std::string(name));
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool take_identity(std::string_view id, std::string_view hash, Written& into) {
  if (!is_hex(id, 32) || !is_hex(hash, 8)) return false;
  into.id = id;
  std::from_chars(hash.data(), hash.data() + hash.size(), into.hash, 16);
  return true;
}

}  // namespace fleet
