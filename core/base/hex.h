// Numbers as fixed-width lower-case hex, as events and headers show their ids, and back: for each event, so without
// format().
#pragma once

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sessionlogd {

// Eight digits at once, by arithmetic on the bytes of a word.
inline void put_hex(char* to, std::uint32_t value) {
  std::uint64_t digits = value;
  digits = (digits << 16 | digits) & 0x0000FFFF'0000FFFF;
  digits = (digits << 8 | digits) & 0x00FF00FF'00FF00FF;
  digits = (digits << 4 | digits) & 0x0F0F0F0F'0F0F0F0F;
  constexpr std::uint64_t kEach = 0x0101010101010101;
  const std::uint64_t letters = (digits + kEach * 6) >> 4 & kEach;
  digits = __builtin_bswap64(digits + kEach * '0' + letters * ('a' - '0' - 10));
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(to, &digits, sizeof digits);
}

// `Text` is anything with append().
template <class Text>
void append_hex(Text& out, std::uint32_t value) {
  char text[8];
  put_hex(text, value);
  out.append(text, sizeof text);
}
template <class Text>
void append_hex(Text& out, std::uint64_t value) {
  char text[16];
  put_hex(text, static_cast<std::uint32_t>(value >> 32));
  put_hex(text + 8, static_cast<std::uint32_t>(value));
  out.append(text, sizeof text);
}

// Reads exactly as many digits as such a number has; false: it is none.
template <class Number>
bool read_hex(std::string_view digits, Number& into) {
  if (digits.size() != 2 * sizeof(Number)) return false;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, into, 16);
  return read.ec == std::errc{} && read.ptr == end;
}

}  // namespace sessionlogd
