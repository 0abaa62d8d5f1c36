#include "core/polling/beginnings.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

constexpr double kLongest = 1'800;

TEST(Beginnings, ListsOftenWhenSessionsBeginByTheClock) {
  Beginnings beginnings;
  for (int half_hour = 0; half_hour < 16; ++half_hour) {
    for (int i = 0; i < 10; ++i) beginnings.began(half_hour * 1'800 + 5 * i);
    beginnings.listed(half_hour * 1'800, (half_hour + 1) * 1'800);
  }
  const struct {
    double now, least, most;
  } rows[] = {
      {40 * 1'800, 2, 8},             // ten in a minute
      {40 * 1'800 + 300, 60, 1'500},  // none for long
      {40 * 1'800 - 60, 60, 70},      // the minute before
  };
  for (const auto& row : rows) {
    const double wait = beginnings.until(row.now, 2, kLongest);
    EXPECT_GE(wait, row.least) << row.now;
    EXPECT_LE(wait, row.most) << row.now;
  }
}

TEST(Beginnings, AreUnlikelyWhereNothingIsKnown) {
  const Beginnings beginnings;
  EXPECT_GT(beginnings.until(0, 2, kLongest), 60);
  EXPECT_DOUBLE_EQ(beginnings.until(0, 2, 30), 30);
  EXPECT_DOUBLE_EQ(beginnings.until(-7, 2, 30), 30);  // a clock before 1970
}

TEST(Beginnings, ForgetWhatWas) {
  Beginnings beginnings;
  for (int i = 0; i < 100; ++i) beginnings.began(i % 60);
  beginnings.listed(0, 1'800);
  const double busy = beginnings.until(0, 2, kLongest);
  for (int i = 1; i < 300; ++i) beginnings.listed(i * 1'800, (i + 1) * 1'800);
  EXPECT_GT(beginnings.until(0, 2, kLongest), 5 * busy);
}

}  // namespace
}  // namespace sessionlogd
