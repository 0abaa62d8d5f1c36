#include "core/api/login_limit.h"
#include "tests/core/steady_now.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Change = LoginLimit::Change;

// A login at `at` whose tokens promise an hour and live for `life`.
Change one_life(LoginLimit& limit, SteadyTime at, std::chrono::seconds life) {
  limit.sent(at);
  limit.granted(at, 1h);
  return limit.died(at + life);
}

TEST(LoginLimit, AllowsTheFirstLoginAtOnceAndThenOneInThirtySeconds) {
  LoginLimit limit;
  EXPECT_LE(limit.ready_at(), kNow);
  limit.sent(kNow);
  EXPECT_EQ(limit.ready_at(), kNow + 30s);
}

TEST(LoginLimit, DoublesWhileTokensDieEarlyUpToAnHour) {
  LoginLimit limit;
  SteadyTime at = kNow;
  const std::chrono::seconds gaps[] = {30s, 60s, 120s, 240s, 480s, 960s, 1920s, 3600s, 3600s};
  for (const auto gap : gaps) {
    one_life(limit, at, 1s);
    EXPECT_EQ(limit.ready_at(), at + gap);
    at = limit.ready_at();
  }
  for (int i = 0; i < 1'000; ++i) one_life(limit, at, 1s);
  EXPECT_EQ(limit.gap(), 1h);
}

TEST(LoginLimit, DoublesWhileItIsNotKnownWhetherThePasswordIsRefused) {
  LoginLimit limit;
  for (const auto gap : {60s, 120s, 240s, 480s, 960s, 960s}) {
    limit.refused_unclearly();
    EXPECT_EQ(limit.gap(), gap);
    EXPECT_EQ(limit.slowed(), LoginLimit::Slowed::kByUnclearRefusals);
  }
  limit.granted(kNow, 1h);
  EXPECT_EQ(limit.gap(), 30s);
  EXPECT_EQ(limit.slowed(), LoginLimit::Slowed::kNot);
}

TEST(LoginLimit, KeepsItsDistanceFromALoginOfARunBefore) {
  LoginLimit limit;
  limit.restore(kNow, 0);
  EXPECT_EQ(limit.ready_at(), kNow + 30s);
  limit.restore(kNow, 4);
  EXPECT_EQ(limit.ready_at(), kNow + 240s);
  EXPECT_EQ(limit.early_deaths(), 4u);
}

TEST(LoginLimit, SaysOnceThatItIsAHabitAndOnceThatItEnded) {
  LoginLimit limit;
  EXPECT_EQ(one_life(limit, kNow, 1s), Change::kNone);
  EXPECT_EQ(one_life(limit, kNow, 1s), Change::kNone);
  EXPECT_EQ(one_life(limit, kNow, 1s), Change::kHabitBegins);
  EXPECT_EQ(one_life(limit, kNow, 1s), Change::kNone);
  limit.granted(kNow, 1h);
  EXPECT_EQ(limit.live(kNow + 10min), Change::kNone) << "too early to tell";
  EXPECT_EQ(limit.live(kNow + 48min), Change::kHabitEnds);
  EXPECT_EQ(limit.live(kNow + 49min), Change::kNone);
  EXPECT_EQ(limit.gap(), 30s);
}

TEST(LoginLimit, CallsADeathEarlyBeforeHalfOfWhatWasPromised) {
  struct Case {
    std::chrono::seconds promised, lived;
    bool early;
  };
  const Case cases[] = {{1h, 0s, true},  {1h, 29min, true}, {1h, 30min, false}, {1h, 5h, false},
                        {10s, 4s, true}, {10s, 5s, false},  {0s, 0s, false}};  // no promise, nothing broken
  for (const Case& c : cases) {
    LoginLimit limit;
    for (int i = 0; i < 2; ++i) {
      limit.sent(kNow);
      limit.granted(kNow, c.promised);
      limit.died(kNow + c.lived);
    }
    EXPECT_EQ(limit.gap() > 30s, c.early) << c.promised.count() << " " << c.lived.count();
  }
}

TEST(LoginLimit, OneEarlyDeathAmongLongLivesIsNoHabit) {
  LoginLimit limit;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(one_life(limit, kNow, 1s), Change::kNone);
    EXPECT_EQ(one_life(limit, kNow, 1h), Change::kNone);
    EXPECT_EQ(limit.gap(), 30s);
  }
}

TEST(LoginLimit, CountsOneDeathHoweverOftenANewLoginIsAskedFor) {
  LoginLimit limit;
  limit.sent(kNow);
  limit.granted(kNow, 1h);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(limit.died(kNow + 1s), Change::kNone);
  EXPECT_EQ(limit.gap(), 30s);
}

}  // namespace
}  // namespace sessionlogd
