// Clocks that step, of the appliance and our own: they may move a poll, and decide nothing.
#include "tests/core/polling/finding.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using test::for_days;
using test::kDay;
using test::one_each;
using test::PlannedSession;
using test::SimulatedAppliance;
using test::SimulatedShard;

SimulatedShard::Options coarse() { return {.tick = 20s, .remembers = true}; }

// A session each 20 minutes from before first contact on, and three that run through all of it.
std::vector<PlannedSession> busy(std::chrono::hours span) {
  auto plan = one_each(1h, 3, -5h, span + 4h, 40);
  for (PlannedSession& one : plan) one.has_late_entry = true;
  return plan + one_each(20min, static_cast<std::size_t>(span / 20min), -20min, 17min);
}

struct Step {
  std::string_view name;
  seconds ahead;
  std::chrono::milliseconds lasts;
};
const Step kSteps[] = {{"3 h for 75 s", 3h, 75s},
                       {"a day", kDay, 20min},
                       {"100 days for 7 s", 100 * kDay, 10s},
                       {"100 days for an hour", 100 * kDay, 1h},
                       {"the year 9999", seconds{253'402'300'799 - 1'795'305'600}, 75s},
                       {"back by 3 h", -3h, 75s},
                       {"back by 40 days", -40 * kDay, 2h},
                       {"none", 0s, 75s}};

TEST(ClockStep, OfTheApplianceLosesAndRepeatsNothing) {
  for (const Step& step : kSteps) {
    SCOPED_TRACE(step.name);
    SimulatedShard shard(coarse());
    const auto plan = busy(26h);
    SimulatedAppliance& appliance = shard.add(plan);
    shard.run(3h);
    appliance.set_clock(step.ahead);
    shard.run(step.lasts);
    appliance.set_clock(0s);
    shard.run(29h);
    EXPECT_ALL_DELIVERED(shard, 0, plan.size());
    EXPECT_EQ(shard.not_final(0, 0, plan.size()), 0u);
    EXPECT_EQ(shard.view(0).sessions[3], plan.size());
  }
}

TEST(ClockStep, OfOursLosesAndRepeatsNothingWithADateAndWithout) {
  for (const bool has_date : {true, false}) {
    for (const Step& step : kSteps) {
      SCOPED_TRACE(step.name);
      SimulatedShard shard(coarse());
      const auto plan = busy(26h);
      SimulatedAppliance& appliance = shard.add(plan);
      if (!has_date) appliance.set_clock(std::nullopt);
      shard.run(3h);
      test::step_our_clock(step.ahead);
      shard.run(step.lasts);
      test::step_our_clock(0s);
      shard.run(29h);
      EXPECT_ALL_DELIVERED(shard, 0, plan.size());
      EXPECT_EQ(shard.not_final(0, 0, plan.size()), 0u);
    }
  }
}

TEST(ClockStep, OfAnHourDoesNotEndSettlingEarly) {
  for (const bool is_ours : {true, false}) {
    SimulatedShard shard(for_days());
    std::vector<PlannedSession> plan = one_each(1h, 1, 5min, 10min);
    plan[0].has_late_entry = true;
    SimulatedAppliance& appliance = shard.add(plan);
    shard.run(15min + 20s);
    EXPECT_EQ(shard.view(0).sessions[3], 0u);
    if (is_ours) {
      test::step_our_clock(1h);
    } else {
      appliance.set_clock(1h);
    }
    shard.run(10s);
    appliance.set_clock(0s);
    test::step_our_clock(0s);
    shard.run(8min);
    EXPECT_EQ(shard.view(0).sessions[2], 1u) << "it settles";
    shard.run(5min);
    EXPECT_EQ(shard.view(0).sessions[3], 1u);
    EXPECT_EQ(shard.missing(0, 0, 1, 0s), 0u);
  }
}

TEST(ClockStep, ThatStaysWhileNobodyRunsLosesAndRepeatsNothing) {
  for (const Step& step : kSteps) {
    SCOPED_TRACE(step.name);
    SimulatedShard shard(coarse());
    const auto plan = busy(26h);
    SimulatedAppliance& appliance = shard.add(plan);
    shard.run(3h);
    appliance.set_clock(step.ahead);
    shard.run(30s);
    shard.restart(0, 1h);
    test::step_our_clock(step.ahead);
    shard.run(30s);
    shard.restart(0, 5min);
    appliance.set_clock(0s);
    test::step_our_clock(0s);
    shard.run(29h);
    EXPECT_ALL_DELIVERED(shard, 0, plan.size());
    EXPECT_EQ(shard.not_final(0, 0, plan.size()), 0u);
  }
}

// The appliance writes what it believes of sessions that begin meanwhile.
TEST(ClockStep, EveryFewHoursOfAWeekLosesAndRepeatsNothing) {
  constexpr std::uint64_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  SimulatedShard shard({.seed = kSeed, .tick = 20s, .remembers = true});
  std::minstd_rand random(kSeed);
  const auto begin = test::now_ms();
  struct Period {
    std::chrono::milliseconds from, to;
    seconds ahead;
  };
  std::vector<Period> periods;
  for (std::chrono::milliseconds at = 3h; at < 6 * kDay; at += 2h + seconds{random() % 14'400}) {
    const seconds ahead = seconds{static_cast<std::int64_t>(random() % 2'000'000) - 500'000};
    periods.push_back({at, at + seconds{20 + random() % 4'000}, ahead});
  }
  auto plan = busy(6 * kDay);
  for (PlannedSession& one : plan) {
    for (const Period& period : periods) {
      const auto since = std::chrono::milliseconds{one.start_ms - begin};
      if (since >= period.from && since < period.to)
        one.written_ahead_ms = std::chrono::milliseconds{period.ahead}.count();
    }
  }
  SimulatedAppliance& appliance = shard.add(plan);
  std::chrono::milliseconds now{0};
  const auto run_until = [&](std::chrono::milliseconds at) {
    shard.run(at - now);
    now = std::max(now, at);
  };
  for (std::size_t i = 0; i < periods.size(); ++i) {
    run_until(periods[i].from);
    appliance.set_clock(periods[i].ahead);
    if (i % 5 == 0) test::step_our_clock(periods[i].ahead);
    run_until(periods[i].to);
    appliance.set_clock(0s);
    test::step_our_clock(0s);
    if (i % 7 == 0) shard.restart(0);
  }
  run_until(8 * kDay);
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
  EXPECT_EQ(shard.not_final(0, 0, plan.size()), 0u);
}

}  // namespace
}  // namespace sessionlogd
