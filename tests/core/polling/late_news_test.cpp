#include "core/polling/late_news.h"
#include "tests/core/steady_now.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

SteadyTime when(Watched at) { return kNow + at; }

TEST(LateNews, GivesTheNewestFirstWithinATenthOfTheRate) {
  LateNews late;
  EXPECT_FALSE(late.next(when));
  for (const std::uint32_t slot : {1, 3, 2}) late.add({slot, slot}, {slot, 0}, 0s);
  ASSERT_TRUE(late.next(when));
  EXPECT_LE(*late.next(when), kNow);
  EXPECT_EQ(late.take(kNow, 20).slot, 3u);
  EXPECT_EQ(*late.next(when), kNow + 500ms);
  EXPECT_EQ(late.take(kNow + 500ms, 20).slot, 2u);
  EXPECT_EQ(late.take(kNow + 1s, 20).slot, 1u);
  EXPECT_FALSE(late.next(when));
}

TEST(LateNews, LetsMoreThanAThousandOfOneSweepWaitForAnHour) {
  LateNews late;
  late.begin_sweep();
  for (std::uint32_t slot = 0; slot < LateNews::kMany; ++slot) late.add({slot, slot}, {slot, 0}, 10s);
  EXPECT_LE(*late.next(when), kNow);
  late.add({9'999, 9'999}, {1, 0}, 20s);
  EXPECT_EQ(*late.next(when), kNow + 20s + 1h);
  late.add({10'000, 10'000}, {1, 0}, 3'000s);
  EXPECT_EQ(*late.next(when), kNow + 20s + 1h) << "the hour does not begin again";
  late.begin_sweep();
  EXPECT_EQ(*late.next(when), kNow + 20s + 1h) << "the next sweep does not end it";
}

TEST(LateNews, CountsTheNewsOfEachSweepByItself) {
  LateNews late;
  for (int sweep = 0; sweep < 3; ++sweep) {
    late.begin_sweep();
    for (std::uint32_t slot = 0; slot < LateNews::kMany; ++slot) late.add({slot, slot}, {slot, 0}, 10s);
  }
  EXPECT_LE(*late.next(when), kNow);
}

TEST(LateNews, TakesWhatIsOpenedAgainForNoFlood) {
  LateNews late;
  for (std::uint32_t slot = 0; slot < 2 * LateNews::kMany; ++slot)
    late.add({slot, slot}, {slot, 0}, 10s, LateNews::Kind::kOpenedAgain);
  EXPECT_LE(*late.next(when), kNow);
  EXPECT_EQ(late.size(), 2 * LateNews::kMany);
}

}  // namespace
}  // namespace sessionlogd
