#include "core/base/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/base/doubling.h"
#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

// The longest wait the next failure may give: the largest remainder.
milliseconds longest_wait_after(unsigned failures_before) {
  const std::uint64_t limits[] = {1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000};
  const std::uint64_t limit = limits[std::min<std::size_t>(failures_before, std::size(limits) - 1)];
  Backoff backoff;
  for (unsigned i = 0; i < failures_before; ++i) backoff.failed(0);
  return backoff.failed(limit);
}

TEST(Backoff, DoublesFromOneSecondToSixty) {
  const milliseconds expected[] = {milliseconds(1'000),  milliseconds(2'000),  milliseconds(4'000),
                                   milliseconds(8'000),  milliseconds(16'000), milliseconds(32'000),
                                   milliseconds(60'000), milliseconds(60'000), milliseconds(60'000)};
  for (unsigned failures = 0; failures < std::size(expected); ++failures) {
    EXPECT_EQ(longest_wait_after(failures), expected[failures]) << "after " << failures << " failures";
  }
}

TEST(Backoff, NeverWaitsLessThanATenthOfASecond) {
  Backoff backoff;
  EXPECT_EQ(backoff.failed(0), milliseconds(100));
  EXPECT_EQ(backoff.failed(99), milliseconds(100));
  EXPECT_EQ(backoff.failed(101), milliseconds(101));
}

TEST(Backoff, StartsOverAfterASuccess) {
  Backoff backoff;
  for (int i = 0; i < 10; ++i) backoff.failed(0);
  EXPECT_EQ(backoff.failures(), 10u);
  backoff.succeeded();
  EXPECT_EQ(backoff.failures(), 0u);
  EXPECT_EQ(backoff.failed(1'000), milliseconds(1'000));
}

TEST(Backoff, StaysAtItsLimitsHoweverLongAnOutageLasts) {
  Backoff backoff;
  for (int i = 0; i < 1'000; ++i) backoff.failed(0);
  EXPECT_EQ(backoff.failures(), 255u);
  EXPECT_EQ(backoff.failed(60'000), milliseconds(60'000));
}

TEST(Backoff, SpreadsItsWaitsOverTheWholeRange) {
  std::mt19937_64 random(test::random_seed());
  constexpr int kDraws = 10'000;
  int quarters[4] = {};
  for (int i = 0; i < kDraws; ++i) {
    Backoff backoff;
    for (int failures = 0; failures < 6; ++failures) backoff.failed(0);
    const milliseconds wait = backoff.failed(random());
    ASSERT_GE(wait, milliseconds(100));
    ASSERT_LE(wait, Backoff::kMost);
    ++quarters[std::min<std::int64_t>(wait / (Backoff::kMost / 4), 3)];
  }
  // 10 standard deviations: 2,500 +- 433.
  for (const int count : quarters) EXPECT_NEAR(count, kDraws / 4, 433);
}

TEST(Doubling, WaitsTwiceAsLongEachTimeUpToItsMost) {
  Doubling waits(milliseconds(200), milliseconds(1'000));
  EXPECT_FALSE(waits.has_waited());
  EXPECT_EQ(waits.next(), milliseconds(200));
  EXPECT_TRUE(waits.has_waited());
  EXPECT_EQ(waits.next(), milliseconds(400));
  EXPECT_EQ(waits.next(), milliseconds(800));
  EXPECT_EQ(waits.next(), milliseconds(1'000));
  EXPECT_EQ(waits.next(), milliseconds(1'000));
  waits.reset();
  EXPECT_FALSE(waits.has_waited());
  EXPECT_EQ(waits.next(), milliseconds(200));
}

}  // namespace
}  // namespace sessionlogd
