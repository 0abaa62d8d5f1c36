#include "core/base/hex.h"

#include <gtest/gtest.h>

#include <string>

namespace sessionlogd {
namespace {

template <class T>
std::string hex(T value) {
  std::string text;
  append_hex(text, value);
  return text;
}

TEST(Hex, WritesAllDigitsInTheirOrder) {
  EXPECT_EQ(hex(std::uint64_t{0x0123456789abcdef}), "0123456789abcdef");
  EXPECT_EQ(hex(std::uint64_t{0xfedcba9876543210}), "fedcba9876543210");
  EXPECT_EQ(hex(std::uint64_t{0}), "0000000000000000");
  EXPECT_EQ(hex(std::uint64_t{0xffffffffffffffff}), "ffffffffffffffff");
  EXPECT_EQ(hex(std::uint32_t{0x09a0f90a}), "09a0f90a");
}

}  // namespace
}  // namespace sessionlogd
