#include "core/polling/session_life.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Step = SessionLife::Next::Step;

constexpr std::uint32_t kRunning = 1, kRow = 2, kOtherRow = 3;

Shown shown(Watched at) { return {at, at}; }
SessionLife::Next after(SessionLife& life, Watched sent, LogFill fill = LogFill::kUsual) {
  return life.after_read(sent, fill, 600s, 5s);
}

TEST(SessionLife, LeavesARunningSessionToItsPace) {
  SessionLife life;
  EXPECT_EQ(after(life, 1s).step, Step::kByPace);
  life.listed(false, kRunning, shown(2s));
  EXPECT_FALSE(life.final());
  EXPECT_FALSE(life.is_last(9'999s, 600s));
  EXPECT_EQ(after(life, 9'999s).step, Step::kByPace);
}

TEST(SessionLife, ReadsAtDoublingGapsUntilSettled) {
  SessionLife life;
  life.listed(false, kRunning, shown(0s));
  life.listed(true, kRow, shown(20s));
  EXPECT_TRUE(life.final());
  Watched now = 21s;
  for (const auto gap : {5s, 10s, 20s, 40s, 80s, 160s}) {
    const auto next = after(life, now);
    EXPECT_EQ(next.step, Step::kWait);
    EXPECT_EQ(next.wait, gap);
    now += next.wait;
  }
  EXPECT_EQ(after(life, now).wait, 620s - now);
  EXPECT_FALSE(life.is_last(619s, 600s));
  EXPECT_TRUE(life.is_last(620s, 600s));
  EXPECT_EQ(after(life, 620s).step, Step::kDone);
}

TEST(SessionLife, SettlesFromWhenTheFinalStateWasSeen) {
  SessionLife life;
  life.listed(true, kRow, shown(0s));
  EXPECT_FALSE(life.is_last(599s, 600s));
  EXPECT_TRUE(life.is_last(600s, 600s));
}

TEST(SessionLife, CountsOnlyReadsSentAfterTheFinalStateWasSeen) {
  SessionLife life;
  life.listed(true, kRow, shown(20s));
  life.ended_long_ago();
  for (const auto sent : {10s, 20s}) {
    EXPECT_FALSE(life.is_last(sent, 600s));
    const auto next = after(life, sent);
    EXPECT_EQ(next.step, Step::kWait);
    EXPECT_EQ(next.wait, 0s);
  }
  EXPECT_EQ(after(life, 21s).step, Step::kDone);
}

TEST(SessionLife, ReadsOnceWhatEndedLongAgo) {
  SessionLife life;
  life.listed(true, kRow, shown(0s));
  life.ended_long_ago();
  life.brought_news(1s, 600s);
  EXPECT_EQ(after(life, 1s).step, Step::kDone);
}

TEST(SessionLife, BeginsAnewWhenItRunsAgain) {
  SessionLife life;
  life.listed(true, kRow, shown(1s));
  after(life, 2s);
  after(life, 7s);
  life.listed(false, kRunning, shown(300s));
  EXPECT_FALSE(life.final());
  EXPECT_EQ(after(life, 700s).step, Step::kByPace);
  life.listed(true, kOtherRow, shown(801s));
  EXPECT_EQ(after(life, 802s).wait, 5s);
}

// Nobody saw it running in between.
TEST(SessionLife, BeginsAnewWhenItRanAgainAndEndedBetweenTwoListings) {
  SessionLife life;
  life.listed(true, kRow, shown(1s));
  life.listed(true, kRow, shown(300s));
  EXPECT_TRUE(life.is_last(601s, 600s)) << "the first final listing counts";
  life.listed(true, kOtherRow, shown(595s));
  EXPECT_FALSE(life.is_last(1'194s, 600s));
  EXPECT_TRUE(life.is_last(1'195s, 600s));
}

// Its last read was on its way when a listing showed another status or update number: the log that it brings may be of
// before.
TEST(SessionLife, SettlesAgainWhenAnythingElseIsSaidOfItWhileItsLastReadIsOnItsWay) {
  SessionLife life;
  life.listed(true, kRow, shown(1s));
  EXPECT_TRUE(life.is_last(601s, 600s));
  life.listed(true, kOtherRow, shown(602s));
  const auto next = after(life, 601s);
  EXPECT_EQ(next.step, Step::kWait);
  EXPECT_EQ(next.wait, 0s);
  EXPECT_FALSE(life.is_last(1'201s, 600s));
  EXPECT_EQ(after(life, 1'202s).step, Step::kDone);
}

TEST(SessionLife, SettlesAgainWhenItsLastReadBringsNews) {
  SessionLife life;
  life.listed(true, kRow, shown(0s));
  life.brought_news(599s, 600s);  // not the last read
  EXPECT_TRUE(life.is_last(600s, 600s));
  life.brought_news(600s, 600s);
  EXPECT_EQ(after(life, 600s).wait, 5s);
  EXPECT_FALSE(life.is_last(1'199s, 600s));
  EXPECT_EQ(after(life, 1'200s).step, Step::kDone);
}

TEST(SessionLife, GoesOnSettlingAfterARestart) {
  SessionLife before;
  before.listed(true, kRow, shown(100s));
  SessionLife life;
  life.restore(before.final_since(), kRow);
  life.listed(true, kRow, shown(5'000s));
  EXPECT_TRUE(life.is_last(5'001s, 600s)) << "it had settled while nobody ran";
  SessionLife again;
  again.restore(before.final_since(), kRow);
  again.listed(true, kOtherRow, shown(5'000s));
  EXPECT_FALSE(again.is_last(5'001s, 600s));
}

TEST(SessionLife, BelievesAnEmptyOrShrunkLogAfterThreeReadsOverSettle) {
  SessionLife life;
  life.listed(true, kRow, shown(0s));
  life.ended_long_ago();
  EXPECT_EQ(after(life, 1s, LogFill::kLacking).step, Step::kWait);
  EXPECT_EQ(after(life, 6s, LogFill::kLacking).step, Step::kWait);
  EXPECT_EQ(after(life, 600s, LogFill::kLacking).step, Step::kWait) << "three reads, but not over settle";
  EXPECT_EQ(after(life, 601s, LogFill::kLacking).step, Step::kDone);

  SessionLife two;
  two.listed(true, kRow, shown(0s));
  EXPECT_EQ(after(two, 700s, LogFill::kLacking).step, Step::kWait);
  EXPECT_EQ(after(two, 1'400s, LogFill::kLacking).step, Step::kWait) << "over settle, but two reads";
  EXPECT_EQ(after(two, 1'401s).step, Step::kDone) << "it is there again";
}

TEST(SessionLife, BelievesAnEmptyLogAlthoughEachRunReadsItOnce) {
  SessionLife::Lacking lacking;
  const Watched sent[] = {700s, 1'000s, 1'299s, 1'300s};
  for (const Watched at : sent) {
    SessionLife life;
    life.restore(0s, kRow);
    life.restore(lacking);
    life.listed(true, kRow, shown(at));
    EXPECT_EQ(after(life, at, LogFill::kLacking).step, at == 1'300s ? Step::kDone : Step::kWait);
    lacking = life.lacking();
  }
  EXPECT_EQ(lacking.reads, 3);
}

TEST(SessionLife, NeverEndsWithALogThatIsNotGivenWhole) {
  SessionLife life;
  life.listed(true, kRow, shown(0s));
  EXPECT_EQ(after(life, 5s, LogFill::kPart).step, Step::kWait);
  EXPECT_EQ(after(life, 9'999s, LogFill::kPart).step, Step::kByPace);
  EXPECT_EQ(after(life, 10'000s).step, Step::kDone);
}

TEST(SessionLife, NeverWaitsShorterThanATick) {
  SessionLife life;
  life.listed(true, kRow, shown(1s));
  EXPECT_EQ(life.after_read(2s, LogFill::kUsual, 600s, 0ms).wait, 100ms);
  EXPECT_EQ(after(life, 600s + 999ms).wait, 100ms);
  for (int i = 0; i < 100; ++i) EXPECT_LE(after(life, 2s).wait, 599s);
}

}  // namespace
}  // namespace sessionlogd
