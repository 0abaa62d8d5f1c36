// Decimal digits of numbers that have a known length, for each event: without a division for every digit.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace sessionlogd {

// The eight digits of a number below 100,000,000, zeros in front included: halves, then pairs, then digits, all of a
// kind at once in the parts of a word.
inline void put_digits(char* to, std::uint32_t number) {
  constexpr std::uint64_t kHalves = 0x0000007F'0000007F, kPairs = 0x000F000F'000F000F;
  const std::uint64_t halves = number / 10'000 | std::uint64_t{number % 10'000} << 32;
  const std::uint64_t hundreds = halves * 10'486 >> 20 & kHalves;  // each half by 100
  const std::uint64_t pairs = hundreds | (halves - 100 * hundreds) << 16;
  const std::uint64_t tens = pairs * 103 >> 10 & kPairs;  // each pair by 10
  const std::uint64_t digits = (tens | (pairs - 10 * tens) << 8) + 0x3030303030303030;
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(to, &digits, sizeof digits);
}

}  // namespace sessionlogd
