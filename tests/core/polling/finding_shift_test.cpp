// A source that begins to write its times in another zone: whole hours later or earlier, in rows and logs alike.
#include "tests/core/polling/finding.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::kDay;
using test::one_each;
using test::PlannedSession;
using test::SimulatedAppliance;
using test::SimulatedShard;
using Zone = std::optional<std::chrono::minutes>;  // nullopt: UTC, named

// Sessions that had been done with, one that settles when the zone changes, one that runs for hours, and later ones.
std::vector<PlannedSession> a_day() {
  return one_each(20min, 9, 10min, 5min) + one_each(10min, 1, 3h + 57min, 150s) + one_each(1h, 1, 3h + 58min, 9h, 20) +
         one_each(30min, 12, 5h, 12min);
}

class ShiftedTimes : public ::testing::TestWithParam<std::pair<Zone, Zone>> {};

TEST_P(ShiftedTimes, LoseAndRepeatNothing) {
  for (const bool restarts : {false, true}) {
    for (const std::size_t fingerprint_bytes : {std::size_t{0}, std::size_t{1} << 30}) {
      SCOPED_TRACE(::testing::Message() << "restarts: " << restarts << ", fingerprints: " << fingerprint_bytes);
      SimulatedShard shard({.tick = 5s, .remembers = true, .verify = 1h, .fingerprint_bytes = fingerprint_bytes});
      const auto plan = a_day();
      SimulatedAppliance& appliance = shard.add(plan);
      for (const Zone zone : {GetParam().first, GetParam().second, GetParam().first}) {
        appliance.write_local_times(zone);
        if (restarts) shard.restart(0);
        shard.run(4h);
      }
      shard.run(kDay);
      EXPECT_EQ(shard.view(0).sessions[static_cast<std::size_t>(Phase::kDone)], plan.size());
      EXPECT_ALL_DELIVERED(shard, 0, plan.size());
      EXPECT_EQ(shard.not_final(0, 0, plan.size()), 0u);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Zones, ShiftedTimes,
                         ::testing::Values(std::pair<Zone, Zone>{60min, 120min}, std::pair<Zone, Zone>{120min, 60min},
                                           std::pair<Zone, Zone>{60min, {}}, std::pair<Zone, Zone>{{}, -345min}));

TEST(ShiftedTimes, OfSessionsThatWereLeftAloneBringNoneOfThem) {
  SimulatedShard shard(test::for_days());
  const auto plan = one_each(12h, 120, -60 * kDay, 10min);
  SimulatedAppliance& appliance = shard.add(plan);
  appliance.write_local_times(60min);
  shard.run(2h);
  const auto events = shard.events();
  appliance.write_local_times(120min);
  shard.run(2 * kDay);
  EXPECT_EQ(shard.events(), events);
  EXPECT_EQ(shard.view(0).sessions[static_cast<std::size_t>(Phase::kDone)], plan.size());
}

TEST(ShiftedTimes, ReadFewOfTheSessionsThatWereDone) {
  SimulatedShard shard(test::for_days());
  const auto plan = one_each(20min, 6 * 72, 10min, 5min);
  SimulatedAppliance& appliance = shard.add(plan);
  shard.run(6 * kDay + 2h);
  const auto polls = shard.traffic().requests[test::Traffic::kLog];
  appliance.write_local_times(60min);
  shard.run(2 * kDay);
  EXPECT_LE(shard.traffic().requests[test::Traffic::kLog] - polls, plan.size()) << "those of a day, until they settled";
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
}

}  // namespace
}  // namespace sessionlogd
