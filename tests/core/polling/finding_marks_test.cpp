// Done marks: as many as the source shows, and as long as it may show them again. And passes of `collect`.
#include <algorithm>

#include "tests/core/polling/finding.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::kDay;
using test::one_each;
using test::SimulatedAppliance;
using test::SimulatedShard;

SimulatedShard::Options for_weeks() { return {.tick = 30s, .remembers = true}; }

PollSettings kept_for(std::chrono::milliseconds retention) {
  PollSettings poll;
  poll.retention = retention;
  poll.discovery_interval = 5min;
  return poll;
}

TEST(DoneMarks, AreDroppedOnlyAfterThreeSweepsOverTheRetention) {
  SimulatedShard shard(for_weeks());
  const auto plan = one_each(20min, 10, 10min, 10min);
  SimulatedAppliance& appliance = shard.add(plan, kept_for(4 * kDay));
  shard.run(kDay);
  appliance.hide(0, 7);
  shard.run(3 * kDay);
  EXPECT_EQ(shard.view(0).sessions[3], 10u);
  appliance.show(5, 7);  // within the retention
  shard.run(kDay - 4h);
  shard.restart(0);
  EXPECT_EQ(shard.view(0).sessions[3], 10u);
  shard.run(3 * kDay);
  EXPECT_EQ(shard.view(0).sessions[3], 5u);
  EXPECT_EQ(shard.committed(0).done.size(), 5u);
  EXPECT_ALL_DELIVERED(shard, 0, 10);
}

TEST(DoneMarks, OfALongRetentionOutliveASourceThatShowsNothing) {
  SimulatedShard shard(for_weeks());
  const auto plan = one_each(20min, 10, 10min, 10min);
  SimulatedAppliance& appliance = shard.add(plan, kept_for(20 * kDay));
  shard.run(kDay);
  appliance.go_blind();
  shard.run(10 * kDay);
  appliance.see_again();
  shard.run(2 * kDay);
  EXPECT_EQ(shard.view(0).sessions[3], 10u);
  EXPECT_ALL_DELIVERED(shard, 0, 10);
}

TEST(DoneMarks, AreAsManyInTheThirdWeekAsInTheSecond) {
  SimulatedShard shard(for_weeks());
  const auto plan = one_each(1h, 21 * 24, 10min, 10min);
  SimulatedAppliance& appliance = shard.add(plan, kept_for(2 * kDay));
  std::size_t second_week = 0;
  for (std::size_t day = 1; day <= 21; ++day) {
    shard.run(kDay);
    if (day > 3) appliance.hide(0, (day - 3) * 24);  // the source keeps three days
    if (day == 14) second_week = shard.committed(0).done.size();
  }
  EXPECT_EQ(shard.reckoning().twice(), 0u);
  EXPECT_GE(second_week, 5u * 24);
  EXPECT_LE(second_week, 8u * 24);
  EXPECT_LE(shard.committed(0).done.size(), second_week + 2);
}

TEST(OnePass, ReadsWhatEndedLongAgoOnceAndWhatSettlesAgainInTheNext) {
  SimulatedShard shard({.tick = 100ms, .remembers = true});
  auto plan = one_each(1min, 30, -30h, 30s) + one_each(10s, 3, -5min, 30s) + one_each(1s, 2, -1min, 4h, 100);
  for (auto& one : plan) one.has_late_entry = false;
  PollSettings poll;
  poll.lookback = 2 * kDay;
  SimulatedAppliance& appliance = shard.add(plan, poll, PollMode::kOnePass);
  shard.run(2min);
  ASSERT_TRUE(shard.is_over(0));
  // Those that were sent in the moment of the listing's response say nothing of what came with it.
  std::vector<std::uint64_t> polls;
  for (std::size_t i = 0; i < 30; ++i) polls.push_back(appliance.polls_of(i));
  EXPECT_LE(std::ranges::max(polls), 2u);
  EXPECT_EQ(std::ranges::count(polls, 2u), 4);
  EXPECT_EQ(shard.missing(0, 0, plan.size(), 2min), 0u);
  const auto settling = appliance.polls_of(30);
  shard.restart(0, 15min);
  shard.run(2min);
  ASSERT_TRUE(shard.is_over(0));
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(appliance.polls_of(i), polls[i]);
  EXPECT_GT(appliance.polls_of(30), settling);
  shard.restart(0, 4h);
  shard.run(2min);
  EXPECT_GE(shard.view(0).sessions[3], 33u);
  shard.restart(0, 4h);
  shard.run(2min);
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
  EXPECT_EQ(shard.not_final(0, 0, plan.size()), 0u);
}

// All that their logs hold is from after their stop: between the listing and the read their ids may have been given
// away. The source is asked once, and where it does not say, the listing counts.
TEST(OnePass, AsksForTheRowOfALogThatMayBeAnothers) {
  for (const int refused : {0, 503}) {
    SimulatedShard shard({.tick = 100ms, .remembers = true});
    auto plan = one_each(1min, 3, -10min, 30s, 0);
    for (auto& one : plan) one.has_late_entry = true;
    SimulatedAppliance& appliance = shard.add(plan, {}, PollMode::kOnePass);
    appliance.refuse_rows(refused);
    shard.run(5min);
    ASSERT_TRUE(shard.is_over(0)) << refused;
    EXPECT_EQ(shard.missing(0, 0, plan.size(), 5min), 0u) << refused;
    EXPECT_EQ(shard.reckoning().gaps(), 0u) << refused;
    for (std::size_t i = 0; i < plan.size(); ++i) EXPECT_EQ(appliance.polls_of(i), 2u) << refused;
  }
}

TEST(OnePass, ReadsNothingUnderTheIdOfASessionThatLostItAgain) {
  SimulatedShard shard({.tick = 100ms, .remembers = true});
  auto plan = one_each(1h, 2, -5min, 10h, 40);
  plan[1].takes_id_of = 0;
  plan[1].gives_back_after_ms = 90 * 60'000;
  shard.add(plan, {}, PollMode::kOnePass);
  for (int pass = 0; pass < 10; ++pass) {
    if (pass > 0) shard.restart(0, 75min);
    shard.run(2min);
    ASSERT_TRUE(shard.is_over(0)) << pass;
  }
  EXPECT_GT(shard.entries_of(0, 1), 0u);
  EXPECT_EQ(shard.view(0).sessions, (std::array<std::size_t, 4>{0, 0, 0, 2}));
  EXPECT_EQ(shard.missing(0, 0, 1, 80min), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
}

TEST(OnePass, SweepsOnWhereTheLastOneEnded) {
  SimulatedShard shard({.tick = 250ms, .remembers = true});
  constexpr std::size_t kOld = 30'000;
  const auto plan = one_each(10s, kOld, -6 * kDay, 5s, 1) + one_each(1min, 10, -1h, 30s);
  shard.add(plan, {}, PollMode::kOnePass);
  int passes = 0;
  for (; passes < 8 && !shard.committed(0).source.contact_over; ++passes) {
    if (passes > 0) shard.restart(0, 1h);
    for (int i = 0; i < 300 && !shard.is_over(0); ++i) shard.run(1s);
    ASSERT_TRUE(shard.is_over(0)) << passes;
  }
  EXPECT_TRUE(shard.committed(0).source.contact_over) << "after " << passes << " passes";
  EXPECT_EQ(shard.missing(0, kOld, plan.size(), 2h), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
}

}  // namespace
}  // namespace sessionlogd
