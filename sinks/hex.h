// Numbers as fixed-width lower-case hex, as events and headers show their ids: for each event, so without format().
#pragma once

#include <cstdint>
#include <string>

namespace sessionlogd {

// `digits` is 16 at most.
inline void append_hex(std::string& out, std::uint64_t value, int digits) {
  static constexpr char kHex[] = "0123456789abcdef";
  char text[16];
  for (int i = digits; i-- > 0; value >>= 4) text[i] = kHex[value & 15];
  out.append(text, static_cast<std::size_t>(digits));
}

}  // namespace sessionlogd
