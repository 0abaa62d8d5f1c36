// What sources find on simulated time whose appliances, clocks and listings are not what one would wish: everything
// that ran is delivered, and nothing twice.
#include "tests/core/polling/finding.h"
#include "tests/core/captured_log.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::for_days;
using test::kDay;
using test::one_each;
using test::SimulatedAppliance;
using test::SimulatedShard;

// ---- First contact

// 600 sessions that ended and began before the line, and 100 that began behind it.
constexpr std::size_t kOld = 600, kNew = 100;
std::vector<test::PlannedSession> old_and_new() {
  return one_each(10min, kOld, -6 * kDay, 5min) + one_each(15min, kNew, -23h, 10min);
}

std::size_t entries_of(const SimulatedShard& shard, std::size_t begin, std::size_t end) {
  std::size_t entries = 0;
  for (std::size_t session = begin; session < end; ++session) entries += shard.entries_of(0, session);
  return entries;
}

TEST(FirstContact, LeavesAloneWhatEndedAndBeganBeforeTheLine) {
  SimulatedShard shard(for_days());
  // One of before runs on.
  auto plan = one_each(1h, 1, -7 * kDay, 7 * kDay + 2h, 50) + old_and_new();
  shard.add(plan);
  shard.run(1h);
  EXPECT_TRUE(shard.committed(0).source.contact_over);
  shard.run(24h);
  EXPECT_EQ(entries_of(shard, 1, 1 + kOld), 0u);
  EXPECT_ALL_DELIVERED(shard, 0, 1);
  EXPECT_ALL_DELIVERED(shard, 1 + kOld, plan.size());
  EXPECT_EQ(shard.not_final(0, 1 + kOld, plan.size()), 0u);
  EXPECT_EQ(shard.view(0).sessions[3], plan.size());
}

TEST(FirstContact, ThatIsCutByARestartAnywhereMovesNoLineAndLosesNothing) {
  for (int cut = 0; cut < 20; ++cut) {
    SimulatedShard shard({.seed = static_cast<std::uint64_t>(cut) + 1, .tick = 10ms, .remembers = true});
    const auto plan = old_and_new();
    SimulatedAppliance& appliance = shard.add(plan);
    appliance.set_longest_page(50);
    // Its first seconds, in ever larger steps; a commit stands at the end of each.
    shard.run(300ms * cut);
    const auto line = shard.committed(0).source.line;
    shard.set_tick(10s);
    shard.restart(0, cut % 2 == 0 ? 0h : 30h);
    shard.run(20min);
    const auto after = shard.committed(0);
    if (line) {
      EXPECT_EQ(after.source.line, line) << cut;
    }
    ASSERT_TRUE(after.source.line) << cut;
    EXPECT_TRUE(after.source.contact_over) << cut;
    std::size_t first = 0;
    while (first < plan.size() && plan[first].start_ms < after.source.line->seconds * 1'000) ++first;
    EXPECT_EQ(entries_of(shard, 0, first), 0u) << cut;
    EXPECT_EQ(shard.missing(0, first + 1, plan.size(), 20min), 0u) << cut;
    EXPECT_EQ(shard.reckoning().twice(), 0u) << cut;
    EXPECT_EQ(shard.reckoning().gaps(), 0u) << cut;
  }
}

TEST(FirstContact, IsSaidOnce) {
  SimulatedShard shard({.tick = 1s, .remembers = true});
  const CapturedLog log;
  shard.add(one_each(1min, 5, -10min, 30s));
  shard.run(5min);
  EXPECT_EQ(log.count("first contact: "), 1) << log.text();
  shard.restart(0);
  shard.run(5min);
  EXPECT_EQ(log.count("first contact: "), 1) << log.text();
}

TEST(FirstContact, GoesOnForDaysWhileNoSweepIsComplete) {
  SimulatedShard shard(for_days());
  const auto plan = one_each(10min, kOld, -6 * kDay, 5min) + one_each(1h, 24 * 6, 10min, 10min);
  SimulatedAppliance& appliance = shard.add(plan);
  appliance.set_longest_page(50);
  appliance.set_pages(SimulatedAppliance::Pages::kIgnoreOffset);
  shard.run(2 * kDay);
  shard.restart(0, 1h);
  shard.run(1 * kDay);
  const auto line = shard.committed(0).source.line;
  EXPECT_EQ(entries_of(shard, 0, kOld), 0u);
  appliance.set_pages(SimulatedAppliance::Pages::kHonest);
  shard.run(2 * kDay);
  EXPECT_TRUE(shard.committed(0).source.contact_over);
  EXPECT_EQ(shard.committed(0).source.line, line);
  EXPECT_EQ(entries_of(shard, 0, kOld), 0u);
  EXPECT_ALL_DELIVERED(shard, kOld, plan.size());
}

TEST(FirstContact, OfAnEmptyApplianceIsOverWithTheThirdSweepThatLeftNothingAlone) {
  SimulatedShard shard(for_days());
  const auto plan = one_each(10min, kOld, -6 * kDay, 5min) + one_each(1h, 24, 2 * kDay, 10min);
  SimulatedAppliance& appliance = shard.add(plan);
  appliance.hide(0, kOld);
  shard.run(10min);
  EXPECT_FALSE(shard.committed(0).source.contact_over);
  shard.run(kDay);
  EXPECT_TRUE(shard.committed(0).source.contact_over);
  // What is shown for the first time now is news.
  appliance.show(0, kOld);
  shard.run(3 * kDay);
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
  EXPECT_EQ(shard.view(0).counts[Counted::kLate], kOld);
}

TEST(FirstContact, LeavesAloneWhatAnEmptyApplianceShowsBeforeItIsOver) {
  SimulatedShard shard(for_days());
  const auto plan = one_each(10min, kOld, -6 * kDay, 5min) + one_each(1h, 24, 2 * kDay, 10min);
  SimulatedAppliance& appliance = shard.add(plan);
  appliance.hide(0, kOld);
  shard.run(30min);
  appliance.show(0, kOld);
  shard.run(4 * kDay);
  EXPECT_EQ(entries_of(shard, 0, kOld), 0u);
  EXPECT_ALL_DELIVERED(shard, kOld, plan.size());
}

}  // namespace
}  // namespace sessionlogd
