// Ids that are given to other sessions, and sessions that are given up.
#include "tests/core/polling/finding.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::kDay;
using test::one_each;
using test::SimulatedAppliance;
using test::SimulatedShard;

TEST(IdGivenAway, ToASessionThatRunsOrAfterOneThatEndedIsAnother) {
  SimulatedShard shard({.tick = 5s, .remembers = true});
  auto plan = one_each(1h, 2, 5min, 40min) + one_each(1h, 2, 3h, 40min);
  plan[2].takes_id_of = 0;  // it had been done
  plan[3].takes_id_of = 1;
  plan[1].length_ms = 10 * 3'600'000;  // it runs
  shard.add(plan);
  shard.run(8h);
  EXPECT_EQ(shard.missing(0, 0, 1, 0s), 0u);
  EXPECT_EQ(shard.missing(0, 2, 4, 0s), 0u);
  EXPECT_EQ(shard.not_final(0, 2, 4), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
  EXPECT_EQ(shard.reckoning().gaps(), 1u) << "the one that ran was not read to its end";
}

TEST(IdGivenAway, IsSaidWhereTheSessionRanWhenItWasReadBeforeARestart) {
  SimulatedShard shard({.tick = 5s, .remembers = true});
  auto plan = one_each(1h, 2, 5min, 10min);
  plan[0].length_ms = 10 * 3'600'000;
  plan[1].takes_id_of = 0;
  shard.add(plan);
  shard.run(30min);
  shard.restart(0, 40min);
  shard.run(2h);
  EXPECT_EQ(shard.missing(0, 1, 2, 0s), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
  EXPECT_EQ(shard.reckoning().gaps(), 1u);
}

TEST(IdGivenAway, IsNotSaidWhereTheSessionHadBeenReadAfterItsEndBeforeARestart) {
  SimulatedShard shard({.tick = 5s, .remembers = true});
  auto plan = one_each(1h, 2, 5min, 10min);
  plan[0].has_late_entry = false;
  plan[1].takes_id_of = 0;
  plan[1].start_ms = plan[0].start_ms + 13 * 60'000;
  shard.add(plan);
  shard.run(17min);  // it settles
  shard.restart(0, 5min);
  shard.run(2h);
  EXPECT_EQ(shard.missing(0, 0, 2, 0s), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
  EXPECT_EQ(shard.reckoning().gaps(), 0u);
}

TEST(IdGivenAway, ByASessionWhoseEntriesWereHeldBackIsSaid) {
  SimulatedShard shard({.tick = 5s, .remembers = true});
  auto plan = one_each(7min, 2, 5min, 5min);
  plan[0].has_late_entry = false;
  plan[0].leaves_running = true;
  plan[1].takes_id_of = 0;  // the first settles
  PollSettings poll;
  poll.changes = Changes::kFinal;
  shard.add(plan, poll);
  shard.run(2h);
  EXPECT_EQ(shard.missing(0, 1, 2, 0s), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
  EXPECT_EQ(shard.reckoning().gaps(), 1u);
}

// The appliance is set back to a snapshot. An entry that came meanwhile stands under the id's first session.
TEST(IdGivenAway, AndGivenBackEndsTheSessionThatHadIt) {
  SimulatedShard shard({.tick = 5s, .remembers = true});
  auto plan = one_each(1h, 2, 5min, 10h, 40);
  plan[1].takes_id_of = 0;
  plan[1].gives_back_after_ms = 90 * 60'000;
  SimulatedAppliance& appliance = shard.add(plan);
  shard.run(4h);
  EXPECT_EQ(shard.view(0).sessions, (std::array<std::size_t, 4>{0, 1, 0, 1}));
  EXPECT_EQ(shard.reckoning().gaps(), 2u) << "of the first when it lost its id, and of the other";
  const auto rows = shard.traffic().requests[test::Traffic::kOne];
  const auto polls = appliance.polls_of(0);
  shard.run(1h);
  EXPECT_EQ(shard.traffic().requests[test::Traffic::kOne], rows);
  EXPECT_LE(appliance.polls_of(0), polls + 200);
  shard.run(10h);
  EXPECT_EQ(shard.view(0).sessions, (std::array<std::size_t, 4>{0, 0, 0, 2}));
  EXPECT_EQ(shard.missing(0, 0, 1, 0s), 0u);
  EXPECT_EQ(shard.not_final(0, 0, 1), 0u);
  EXPECT_GT(shard.entries_of(0, 1), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
  EXPECT_EQ(shard.reckoning().gaps(), 2u);
}

// Its row is shown for ever, and the log that the id gives is the other's.
TEST(IdGivenAway, IsSettledByWhatTheIdGivesWhereAListingShowsBothRows) {
  SimulatedShard shard({.tick = 5s, .remembers = true});
  auto plan = one_each(30min, 2, 5min, 20min, 12) + one_each(1h, 2, 2h, 10h, 12);
  plan[1].takes_id_of = 0;  // it had been done
  plan[2].length_ms = 70 * 60'000;
  plan[3].takes_id_of = 2;  // it runs
  shard.add(plan).list_all_of_an_id();
  shard.run(1 * kDay);
  EXPECT_EQ(shard.view(0).sessions, (std::array<std::size_t, 4>{0, 0, 0, 4}));
  EXPECT_EQ(shard.missing(0, 0, 2, 0s), 0u);
  EXPECT_EQ(shard.missing(0, 3, 4, 0s), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
  EXPECT_EQ(shard.reckoning().gaps(), 1u) << "the one that ran";
}

TEST(AGivenUpSession, IsReadWhenItIsShownAgain) {
  SimulatedShard shard({.tick = 5s, .remembers = true});
  SimulatedAppliance& appliance = shard.add(one_each(20min, 40, -5min, 2min));
  appliance.refuse_log(0, 404);
  shard.run(1min);
  appliance.hide(0, 1);
  shard.run(3h);
  ASSERT_EQ(shard.reckoning().gaps(), 1u);
  appliance.show(0, 1);
  appliance.refuse_log(0, 0);
  shard.run(3h);
  EXPECT_EQ(shard.missing(0, 0, 10, 0s), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
  EXPECT_EQ(shard.reckoning().gaps(), 1u);
}

TEST(AGivenUpSession, WhoseLogStaysAwayIsSaidOnce) {
  SimulatedShard shard(test::for_days());
  SimulatedAppliance& appliance = shard.add(one_each(2h, 60, -5min, 2min));
  appliance.refuse_log(0, 404);
  shard.run(3 * kDay);
  EXPECT_EQ(shard.reckoning().gaps(), 1u);
  const auto polls = appliance.polls_of(0);
  shard.run(2 * kDay);
  EXPECT_EQ(appliance.polls_of(0), polls) << "it is done";
}

}  // namespace
}  // namespace sessionlogd
