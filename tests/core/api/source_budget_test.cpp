#include "core/api/source_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <random>

#include "tests/core/steady_now.h"
#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr unsigned kMany = 1'000;

// Starts requests until one would have to wait; says for how long.
nanoseconds drain(SourceBudget& budget, SteadyTime now, int& started) {
  for (started = 0; budget.ready_at(now) == now; ++started) budget.start(now);
  return *budget.ready_at(now) - now;
}

TEST(SourceBudget, HoldsOneSecondsWorthAndAtLeastOne) {
  struct Case {
    double rate;
    int burst;
    nanoseconds then_waits;
  };
  const Case cases[] = {
      {20, 20, 50ms},        {1, 1, 1s},      {0.5, 1, 2s},
      {0.1, 1, 10s},         {2.5, 2, 200ms},  // half a request is in the bucket already
      {3, 3, 333'333'333ns},
  };
  for (const Case& c : cases) {
    SourceBudget budget(kMany, c.rate);
    int started = 0;
    EXPECT_NEAR(drain(budget, kNow, started).count(), c.then_waits.count(), 3) << c.rate;
    EXPECT_EQ(started, c.burst) << c.rate;
  }
}

TEST(SourceBudget, HoldsEveryWholeRateInFull) {
  for (int rate = 1; rate < 1'000; ++rate) {
    SourceBudget budget(kMany, rate);
    int started = 0;
    drain(budget, kNow, started);
    ASSERT_EQ(started, rate);
  }
}

TEST(SourceBudget, AllowsARequestExactlyWhenItSaid) {
  for (const double rate : {0.3, 0.7, 3.0, 7.0, 20.0, 333.3, 1e6}) {
    SourceBudget budget(1, rate);
    SteadyTime now = kNow;
    for (int i = 0; i < 1'000; ++i) {
      now = *budget.ready_at(now);
      ASSERT_EQ(budget.ready_at(now), now) << rate;
      budget.start(now);
      budget.finish();
    }
  }
}

TEST(SourceBudget, SavesUpNoMoreThanItsBucketHolds) {
  SourceBudget budget(kMany, 5);
  int started = 0;
  drain(budget, kNow, started);
  drain(budget, kNow + 24h, started);
  EXPECT_EQ(started, 5);
}

TEST(SourceBudget, TreatsAnImpossibleRateAsOnceADay) {
  for (const double rate : {0.0, -1.0, std::nan(""), -std::numeric_limits<double>::infinity(), 1e-300}) {
    SourceBudget budget(kMany, rate);
    int started = 0;
    EXPECT_EQ(drain(budget, kNow, started), 24h) << rate;
    EXPECT_EQ(started, 1) << rate;
  }
}

TEST(SourceBudget, NeverUsesMoreThanItsConnections) {
  SourceBudget budget(2, 100);
  budget.start(kNow);
  budget.start(kNow);
  EXPECT_EQ(budget.in_flight(), 2u);
  EXPECT_EQ(budget.ready_at(kNow + 1h), std::nullopt);
  budget.finish();
  EXPECT_EQ(budget.ready_at(kNow), kNow);
}

TEST(SourceBudget, LeavesTheSourceAloneAsLongAsItAsked) {
  struct Case {
    seconds asked, waits;
  };
  for (const Case& c : {Case{30s, 30s}, Case{0s, 0s}, Case{-5s, 0s}, Case{1h, 1h}, Case{2h, 1h},
                        Case{seconds::max(), 1h}, Case{seconds::min(), 0s}}) {
    SourceBudget budget(4, 100);
    budget.retry_after(kNow, c.asked);
    EXPECT_EQ(*budget.ready_at(kNow) - kNow, c.waits) << c.asked.count();
  }
}

TEST(SourceBudget, AShorterRetryAfterDoesNotCutALongerOneShort) {
  SourceBudget budget(4, 100);
  budget.retry_after(kNow, 60s);
  budget.retry_after(kNow + 1s, 5s);
  EXPECT_EQ(budget.ready_at(kNow), kNow + 60s);
}

TEST(SourceBudget, BacksOffWhenToldToWithoutATimeUntilSomethingIsServed) {
  SourceBudget budget(4, 100);
  budget.slow_down(kNow, 700);
  EXPECT_EQ(budget.ready_at(kNow), kNow + 700ms);
  budget.slow_down(kNow + 700ms, 1'700);
  EXPECT_EQ(budget.ready_at(kNow), kNow + 2'400ms);
  EXPECT_EQ(budget.slow_downs(), 2u);

  budget.served();
  EXPECT_EQ(budget.ready_at(kNow), kNow);
  EXPECT_EQ(budget.slow_downs(), 0u);
}

TEST(SourceBudget, RefusalsThatComeTogetherCountOnce) {
  SourceBudget budget(4, 100);
  budget.slow_down(kNow, 700);
  budget.slow_down(kNow + 1ms, 900);
  budget.slow_down(kNow + 699ms, 900);
  EXPECT_EQ(budget.slow_downs(), 1u);
  EXPECT_EQ(budget.ready_at(kNow), kNow + 700ms);
}

TEST(SourceBudget, WhatIsServedDoesNotLiftARetryAfter) {
  SourceBudget budget(4, 100);
  budget.retry_after(kNow, 30s);
  budget.slow_down(kNow, 700);
  budget.served();
  EXPECT_EQ(budget.ready_at(kNow), kNow + 30s);
}

// What a budget must hold whatever happens, counted the slow way.
class Watcher {
 public:
  Watcher(unsigned connections, double rate) : connections_(connections), rate_(rate) {}

  void started(SteadyTime now) {
    ++in_flight_;
    EXPECT_LE(in_flight_, connections_);
    EXPECT_GE(now, asked_until_);
    last_second_.push_back(now);
    while (last_second_.front() <= now - 1s) last_second_.pop_front();
    EXPECT_LE(static_cast<double>(last_second_.size()), rate_ + std::max(rate_, 1.0));
  }
  void finished() { --in_flight_; }
  void asked(SteadyTime now, seconds wait) { asked_until_ = std::max(asked_until_, now + std::min<seconds>(wait, 1h)); }

 private:
  unsigned connections_;
  double rate_;
  unsigned in_flight_ = 0;
  SteadyTime asked_until_{};
  std::deque<SteadyTime> last_second_;
};

void run_at_random(std::mt19937_64& random) {
  const unsigned connections = 1 + random() % 8;
  const double rate = std::exp(std::uniform_real_distribution(std::log(0.2), std::log(200.0))(random));
  SCOPED_TRACE(::testing::Message() << "connections=" << connections << " rate=" << rate);
  SourceBudget budget(connections, rate);
  Watcher watcher(connections, rate);
  SteadyTime now = kNow;
  int starts = 0;
  for (int step = 0; step < 2'000 && !::testing::Test::HasFailure(); ++step) {
    const std::uint64_t what = random() % 100;
    const std::optional<SteadyTime> ready = budget.ready_at(now);
    ASSERT_EQ(ready.has_value(), budget.in_flight() < connections);
    if (what < 70 && ready) {
      now = *ready;
      budget.start(now);
      watcher.started(now);
      ++starts;
    } else if (what < 95 && budget.in_flight() > 0) {
      budget.finish();
      watcher.finished();
      if (what < 75) budget.slow_down(now, random());
      if (what > 78) budget.served();
    } else if (what == 99) {
      const seconds wait(random() % 8'000);
      budget.retry_after(now, wait);
      watcher.asked(now, wait);
    } else {
      now += milliseconds(random() % 300);
    }
  }
  EXPECT_GT(starts, 500);
}

TEST(SourceBudget, KeepsRateConnectionsAndRetryAfterWhateverHappens) {
  std::mt19937_64 random(test::random_seed());
  for (int run = 0; run < 100 && !HasFailure(); ++run) run_at_random(random);
}

TEST(SourceBudget, UsesTheWholeRateItIsGiven) {
  SourceBudget budget(1, 20);
  SteadyTime now = kNow;
  int started = 0;
  for (; now < kNow + 60s; ++started) {
    now = *budget.ready_at(now);
    budget.start(now);
    budget.finish();
  }
  EXPECT_NEAR(started, 60 * 20 + 20, 1);
}

}  // namespace
}  // namespace sessionlogd
