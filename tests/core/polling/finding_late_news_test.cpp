// News by the thousand that only a sweep brings.
#include "tests/core/captured_log.h"
#include "tests/core/polling/finding.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::for_days;
using test::kDay;
using test::one_each;
using test::PlannedSession;
using test::SimulatedAppliance;
using test::SimulatedShard;

constexpr std::size_t kMany = 3'000;

struct WiderRights {
  WiderRights() {
    plan = one_each(5min, kMany, -15 * kDay, 4min, 2) + one_each(30min, 6 * 48, 10min, 20min);
    spdlog::set_level(spdlog::level::warn);
    appliance = &shard.add(plan);
    appliance->hide(0, kMany);
    shard.run(kDay + 2h);
    appliance->show(0, kMany);
  }

  std::size_t read() const {
    std::size_t read = 0;
    for (std::size_t i = 0; i < kMany; ++i) read += appliance->read_of(i) > 0;
    return read;
  }
  // Until the sweep has shown all.
  void run_until_found() {
    std::uint64_t found = 0;
    while (found < kMany && test::now_ms() < give_up_at) {
      shard.run(10s);
      found = shard.view(0).counts[Counted::kLate];
      if (many_at == 0 && found > LateNews::kMany) many_at = test::now_ms();
    }
    // A sweep may show what has just begun before a listing does.
    ASSERT_GE(shard.view(0).counts[Counted::kLate], kMany);
    ASSERT_LE(shard.view(0).counts[Counted::kLate], kMany + 3);
  }

  // `after` so many were found that they wait for an hour; the sweep itself took some of it.
  void run_until(std::chrono::milliseconds after) {
    const std::chrono::milliseconds left = std::chrono::milliseconds{many_at - test::now_ms()} + after;
    ASSERT_GT(left, 0ms) << "the sweep took longer";
    shard.run(left);
  }

  CapturedLog log;
  SimulatedShard shard{for_days()};
  std::vector<PlannedSession> plan;
  SimulatedAppliance* appliance = nullptr;
  const std::int64_t give_up_at = test::now_ms() + std::chrono::milliseconds{5 * kDay}.count();
  std::int64_t many_at = 0;
};

TEST(LateNews, ByTheThousandIsSaidWaitsForAnHourAndIsReadNewestFirst) {
  WiderRights a;
  ASSERT_NO_FATAL_FAILURE(a.run_until_found());
  EXPECT_EQ(a.log.count("shows more than 1000 sessions"), 1);
  const std::size_t before = a.read();
  EXPECT_LT(before, 1'000u);
  ASSERT_NO_FATAL_FAILURE(a.run_until(50min));
  EXPECT_LE(a.read(), before + 1);
  a.shard.restart(0);
  ASSERT_NO_FATAL_FAILURE(a.run_until(59min));
  EXPECT_LE(a.read(), before + 1) << "they wait although the source began again";
  a.shard.set_tick(500ms);
  a.shard.run(15min);
  const std::size_t read = a.read();
  EXPECT_GT(read, before + 60);
  EXPECT_LE(read, before + 2 * 15 * 60);  // a tenth of the rate
  std::size_t newest = kMany;
  while (newest > 0 && a.appliance->read_of(newest - 1) > 0) --newest;
  EXPECT_GE(kMany - newest, read - before - 5);
  EXPECT_EQ(a.shard.missing(0, kMany, a.plan.size(), 90s), 0u) << "what is due is not delayed";
  a.shard.run(90min);
  EXPECT_ALL_DELIVERED(a.shard, 0, a.plan.size());
}

TEST(LateNews, BeforeATimeIsLeftAloneWhenTheOperatorSaysSo) {
  WiderRights a;
  ASSERT_NO_FATAL_FAILURE(a.run_until_found());
  const std::size_t first = kMany / 2;
  a.shard.poller(0).leave_alone({a.plan[first].start_ms / 1'000, 0});
  a.shard.run(20min);
  a.shard.restart(0);
  a.shard.run(3 * kDay);
  std::size_t entries = 0;
  for (std::size_t i = 0; i < first; ++i) entries += a.shard.entries_of(0, i);
  EXPECT_LT(entries, 200u) << "what was read before he said so";
  EXPECT_ALL_DELIVERED(a.shard, first, a.plan.size());
}

TEST(LateNews, OfASecondSweepIsCountedAnew) {
  WiderRights a;
  a.appliance->hide(kMany / 2, kMany);
  while (a.shard.view(0).counts[Counted::kLate] < kMany / 2 && test::now_ms() < a.give_up_at) a.shard.run(10s);
  a.shard.set_tick(1s);
  a.shard.run(3h);
  EXPECT_GE(a.read(), kMany / 2);
  a.shard.set_tick(10s);
  a.appliance->show(kMany / 2, kMany);
  ASSERT_NO_FATAL_FAILURE(a.run_until_found());
  EXPECT_EQ(a.log.count("shows more than 1000 sessions"), 2);
  const std::size_t before = a.read();
  EXPECT_LT(before, kMany / 2 + 1'000);
  a.shard.run(50min);
  EXPECT_LE(a.read(), before + 1);
}

}  // namespace
}  // namespace sessionlogd
