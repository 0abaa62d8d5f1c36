#include "core/base/digits.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace sessionlogd {
namespace {

std::string digits(std::uint32_t number) {
  char text[8];
  put_digits(text, number);
  return std::string(text, sizeof text);
}

std::string printed(std::uint32_t number) {
  char text[16];
  std::snprintf(text, sizeof text, "%08u", number);
  return text;
}

TEST(Digits, AreAllWrittenInTheirOrder) {
  EXPECT_EQ(digits(12'345'678), "12345678");
  EXPECT_EQ(digits(0), "00000000");
  EXPECT_EQ(digits(99'999'999), "99999999");
}

// What is rounded wrongly in any part is: each half of a number goes by the same steps.
TEST(Digits, AreRightInEachHalf) {
  for (std::uint32_t half = 0; half < 10'000; ++half) {
    ASSERT_EQ(digits(half), printed(half));
    ASSERT_EQ(digits(half * 10'000), printed(half * 10'000));
  }
}

}  // namespace
}  // namespace sessionlogd
