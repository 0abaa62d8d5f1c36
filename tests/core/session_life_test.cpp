#include "core/session_life.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Step = SessionLife::Next::Step;

constexpr std::int64_t kNoon = 1'700'000'000;

Instant at(std::int64_t second) { return {kNoon + second, 0}; }
Shown shown(std::int64_t second) { return {at(second), at(second)}; }

TEST(SessionLife, LeavesARunningSessionToItsPace) {
  SessionLife life;
  EXPECT_EQ(life.after_read(at(1), 600s, 5s).step, Step::kByPace);
  life.listed(false, std::nullopt, shown(2));
  EXPECT_FALSE(life.final());
  EXPECT_FALSE(life.is_last(at(9'999), 600s));
  EXPECT_EQ(life.after_read(at(9'999), 600s, 5s).step, Step::kByPace);
}

TEST(SessionLife, ReadsAtDoublingGapsUntilSettled) {
  SessionLife life;
  life.listed(false, std::nullopt, shown(0));
  life.listed(true, at(10), shown(20));
  EXPECT_TRUE(life.final());
  std::int64_t now = 21;
  for (const std::int64_t gap : {5, 10, 20, 40}) {
    const auto next = life.after_read(at(now), 100s, 5s);
    EXPECT_EQ(next.step, Step::kWait);
    EXPECT_EQ(next.wait, std::min<std::chrono::seconds>(std::chrono::seconds{gap}, std::chrono::seconds{110 - now}));
    now += std::chrono::duration_cast<std::chrono::seconds>(next.wait).count();
  }
  EXPECT_EQ(now, 96);
  EXPECT_EQ(life.after_read(at(now), 100s, 5s).wait, 14s);
  EXPECT_FALSE(life.is_last(at(109), 100s));
  EXPECT_TRUE(life.is_last(at(110), 100s));
  EXPECT_EQ(life.after_read(at(110), 100s, 5s).step, Step::kDone);
}

TEST(SessionLife, CountsOnlyReadsSentAfterTheFinalStateWasSeen) {
  SessionLife life;
  life.listed(true, at(-5'000), shown(20));
  for (const std::int64_t sent : {10, 20}) {
    EXPECT_FALSE(life.is_last(at(sent), 600s));
    const auto next = life.after_read(at(sent), 600s, 5s);
    EXPECT_EQ(next.step, Step::kWait);
    EXPECT_EQ(next.wait, 0s);
  }
  EXPECT_EQ(life.after_read(at(21), 600s, 5s).step, Step::kDone);
}

TEST(SessionLife, ReadsAnOldSessionOnce) {
  SessionLife life;
  life.listed(true, at(-601), shown(0));
  EXPECT_EQ(life.after_read(at(1), 600s, 5s).step, Step::kDone);
}

TEST(SessionLife, SettlesFromTheListingWhereTheStopTimeCannotBe) {
  const std::optional<Instant> stops[] = {std::nullopt, at(5'000),
                                          Instant{-62'135'596'800, 0}};  // none, still to come, .NET's nothing
  for (const auto& stop : stops) {
    SessionLife life;
    life.listed(true, stop, shown(0));
    EXPECT_FALSE(life.is_last(at(599), 600s));
    EXPECT_TRUE(life.is_last(at(600), 600s));
  }
}

TEST(SessionLife, DoesNotBelieveAStopBeforeItWasSeenRunning) {
  SessionLife life;
  life.listed(false, std::nullopt, shown(0));
  life.listed(true, at(-7'200), shown(30));
  EXPECT_FALSE(life.is_last(at(599), 600s));
  EXPECT_TRUE(life.is_last(at(600), 600s));
}

TEST(SessionLife, BeginsAnewWhenItRunsAgain) {
  SessionLife life;
  life.listed(true, at(0), shown(1));
  life.after_read(at(2), 600s, 5s);
  life.after_read(at(7), 600s, 5s);
  life.listed(false, std::nullopt, shown(300));
  EXPECT_FALSE(life.final());
  EXPECT_EQ(life.after_read(at(700), 600s, 5s).step, Step::kByPace);
  life.listed(true, at(800), shown(801));
  EXPECT_EQ(life.after_read(at(802), 600s, 5s).wait, 5s);
}

// Nobody saw it running in between.
TEST(SessionLife, BeginsAnewWhenItRanAgainAndEndedBetweenTwoListings) {
  SessionLife life;
  life.listed(true, at(0), shown(1));
  life.listed(true, at(0), shown(300));
  EXPECT_TRUE(life.is_last(at(600), 600s));
  life.listed(true, at(590), shown(595));
  EXPECT_FALSE(life.is_last(at(1'189), 600s));
  EXPECT_TRUE(life.is_last(at(1'190), 600s));
}

TEST(SessionLife, SettlesAgainWhenItWasWrittenSinceItWasListedAsFinal) {
  SessionLife life;
  life.listed(true, at(0), {at(1), at(9)});
  life.brought_news(at(599), at(500), 600s);  // not the last read
  life.brought_news(at(600), at(0), 600s);    // only late
  EXPECT_TRUE(life.is_last(at(600), 600s));
  life.brought_news(at(600), at(2), 600s);  // while the answer was on its way, perhaps
  EXPECT_EQ(life.after_read(at(600), 600s, 5s).wait, 5s);
  EXPECT_FALSE(life.is_last(at(1'199), 600s));
  EXPECT_EQ(life.after_read(at(1'200), 600s, 5s).step, Step::kDone);
}

TEST(SessionLife, KeepsTheFirstFinalListing) {
  SessionLife life;
  life.listed(true, std::nullopt, shown(0));
  life.listed(true, std::nullopt, shown(500));
  EXPECT_TRUE(life.is_last(at(600), 600s));
}

TEST(SessionLife, NeverWaitsShorterThanATick) {
  SessionLife life;
  life.listed(true, at(0), shown(1));
  EXPECT_EQ(life.after_read(at(2), 600s, 0ms).wait, 100ms);
  EXPECT_EQ(life.after_read({kNoon + 599, 999'999'999}, 600s, 5s).wait, 100ms);
  for (int i = 0; i < 100; ++i) EXPECT_LE(life.after_read(at(2), 600s, 5s).wait, 598s);
}

}  // namespace
}  // namespace sessionlogd
