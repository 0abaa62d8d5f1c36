#include "core/base/watched_time.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kBegan{1000h};
constexpr Instant kThen{1'800'000'000, 0};

Instant later(std::chrono::seconds by) { return {kThen.seconds + by.count(), 0}; }
WatchedTime after_a_run() { return WatchedTime({100s, kThen, kThen}, kBegan); }

TEST(WatchedTime, GrowsByTheMonotonicClock) {
  WatchedTime watched({}, kBegan);
  EXPECT_EQ(watched.at(kBegan), 0s);
  watched.heard(kThen, kThen, kBegan);
  watched.heard(later(1'000'000s), later(1'000'000s), kBegan + 1s);
  EXPECT_EQ(watched.at(kBegan + 5s), 5s) << "whatever the clocks say while we run";
  EXPECT_EQ(watched.when(5s), kBegan + 5s);
}

TEST(WatchedTime, GoesOnAfterARestartByTheLesserOfBothClocks) {
  WatchedTime both = after_a_run();
  EXPECT_EQ(both.at(kBegan), 100s);
  both.heard(later(3'600s), later(3'000s), kBegan);
  EXPECT_EQ(both.at(kBegan), 3'100s);
  WatchedTime ahead = after_a_run();
  ahead.heard(later(30s), later(8'640'000s), kBegan);
  EXPECT_EQ(ahead.at(kBegan), 130s);
}

TEST(WatchedTime, TakesADayAtMostFromOurClockAlone) {
  WatchedTime ours = after_a_run();
  ours.heard(later(864'000s), std::nullopt, kBegan);
  EXPECT_EQ(ours.at(kBegan), 100s + 24h);
}

TEST(WatchedTime, NeverGoesBack) {
  WatchedTime back = after_a_run();
  back.heard(later(-86'400s), later(60s), kBegan);
  EXPECT_EQ(back.at(kBegan), 100s);
}

TEST(WatchedTime, CountsWhatPassedBeforeTheFirstResponseOnce) {
  WatchedTime slow = after_a_run();
  slow.heard(later(60s), later(60s), kBegan + 20s);
  EXPECT_EQ(slow.at(kBegan + 20s), 160s);
}

TEST(WatchedTime, GoesOnFromWhatItKept) {
  WatchedTime first = after_a_run();
  first.heard(later(10s), later(10s), kBegan);
  const auto kept = first.keep(kBegan + 5s, later(15s), later(15s));
  WatchedTime second(kept, kBegan);
  second.heard(later(75s), later(75s), kBegan);
  EXPECT_EQ(second.at(kBegan), 175s);
}

}  // namespace
}  // namespace sessionlogd
