// Listings that show nothing, too little, or what is not so.
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

TEST(BlindListing, ForHoursLosesAndRepeatsNothingAndIsSaid) {
  SimulatedShard shard(for_days());
  const auto plan = one_each(1h, 2, -1h, 12h, 40) + one_each(20min, 3 * 24, 10min, 17min);
  SimulatedAppliance& appliance = shard.add(plan);
  shard.run(3h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk);
  appliance.go_blind();
  shard.run(8h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_NE(shard.view(0).error, "");
  appliance.see_again();
  shard.run(30h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk);
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
  EXPECT_EQ(shard.not_final(0, 0, plan.size()), 0u);
}

TEST(BlindListing, ForLongerThanADayIsMadeUpForByTheSweep) {
  SimulatedShard shard(for_days());
  const auto plan = one_each(20min, 4 * 24 * 3, 10min, 17min);
  SimulatedAppliance& appliance = shard.add(plan);
  shard.run(3h);
  appliance.go_blind();
  shard.run(1h);
  shard.restart(0);
  shard.run(2 * kDay);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  shard.restart(0);
  shard.run(5min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff) << "a restart makes nothing well";
  appliance.see_again();
  shard.run(4 * kDay);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk);
  EXPECT_GT(shard.view(0).counts[Counted::kLate], 0u);
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
}

TEST(AListingThatDoesNotEnd, IsSaidAfterAMinuteAndAFaultAfterTenIntervals) {
  const CapturedLog log;
  SimulatedShard shard({.tick = 1s});
  spdlog::set_level(spdlog::level::info);
  // One more row in ten seconds.
  SimulatedAppliance& appliance = shard.add(one_each(1min, 90, -2h, 30s));
  appliance.set_longest_page(2);
  appliance.set_latency(10s, 10s);
  shard.run(50s);
  shard.poller(0).look();
  EXPECT_EQ(shard.view(0).error, "");
  EXPECT_EQ(log.count("has not ended"), 0);
  shard.run(40s);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kStarting);
  EXPECT_NE(shard.view(0).error.find("has not ended: "), std::string::npos) << shard.view(0).error;
  shard.run(1min);
  shard.poller(0).look();
  EXPECT_EQ(log.count("has not ended"), 1) << log.text();
  shard.run(10min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);

  appliance.set_longest_page(200);
  appliance.set_latency(20ms, 120ms);
  shard.run(2min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk);
  EXPECT_EQ(shard.view(0).error, "");
  shard.run(2min);
  shard.poller(0).look();
  EXPECT_EQ(log.count("listings end again"), 1) << log.text();
}

// A login, a turn, a Retry-After: nothing is known of the listing then.
TEST(AListingThatDoesNotEnd, IsNoneOfWhichNoPageHasCome) {
  using Reply = SimulatedAppliance::Reply;
  const Reply refused{.after = 50ms, .status = 400, .body = R"({"detail":"Der Wert ist ungueltig"})"};
  const Reply busy{.after = 50ms, .status = 429, .retry_after = 3'000s};
  for (const bool is_login : {true, false}) {
    const CapturedLog log;
    SimulatedShard shard({.tick = 1s});
    spdlog::set_level(spdlog::level::info);
    PollSettings poll;
    poll.max_interval = 5s;
    SimulatedAppliance& appliance = shard.add(one_each(1min, 9, -2h, 30s), poll);
    if (is_login) appliance.respond_to_tokens([&] { return std::optional(refused); });
    if (!is_login) appliance.respond_to_listings([&] { return std::optional(busy); });
    for (int i = 0; i < 180; ++i) {
      shard.run(10s);
      shard.poller(0).look();
      if (shard.view(0).condition == SourceCondition::kBackingOff) {
        ASSERT_NE(shard.view(0).error, "") << "after " << i * 10 << " s";
      }
    }
    EXPECT_EQ(log.count("has not ended"), 0) << log.text();
    EXPECT_EQ(log.count("tokens die early"), 0) << log.text();
    EXPECT_EQ(log.count("is not asked anything for"), 1) << log.text();
  }
}

// Between two pages, too.
TEST(AListingThatDoesNotEnd, DoesNotCountWhatItWaitedForInBetween) {
  const CapturedLog log;
  SimulatedShard shard({.tick = 1s});
  spdlog::set_level(spdlog::level::info);
  SimulatedAppliance& appliance = shard.add(one_each(1min, 90, -2h, 30s));
  appliance.set_longest_page(20);
  int pages = 0;
  appliance.respond_to_listings([&]() -> std::optional<SimulatedAppliance::Reply> {
    if (++pages != 3) return std::nullopt;
    return SimulatedAppliance::Reply{.after = 50ms, .status = 429, .retry_after = 600s};
  });
  for (int i = 0; i < 50; ++i) {
    shard.run(10s);
    shard.poller(0).look();
  }
  EXPECT_GE(pages, 3);
  EXPECT_EQ(log.count("has not ended"), 0) << log.text();
}

// A short `max_interval` makes no fault of what is not said yet.
TEST(AListingThatDoesNotEnd, IsNoFaultBeforeItIsSaid) {
  SimulatedShard shard({.tick = 1s});
  PollSettings poll;
  poll.max_interval = 2s;
  poll.interval = 1s;
  SimulatedAppliance& appliance = shard.add(one_each(1min, 90, -2h, 30s), poll);
  appliance.set_longest_page(2);
  appliance.set_latency(10s, 10s);
  for (int i = 0; i < 12; ++i) {
    shard.run(10s);
    EXPECT_EQ(shard.view(0).condition == SourceCondition::kBackingOff, shard.view(0).error != "") << i;
  }
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
}

TEST(AListingThatDoesNotEnd, IsNoFaultWhileTheSinkHoldsItUp) {
  SimulatedShard shard({.tick = 1s, .queue_bytes = 1});
  SimulatedAppliance& appliance = shard.add(one_each(1min, 90, -2h, 30s));
  appliance.set_longest_page(20);
  shard.stop_sink();
  for (int i = 0; i < 60; ++i) {
    shard.run(10s);
    shard.poller(0).look();
  }
  EXPECT_EQ(shard.view(0).error, "");
}

TEST(ASweepThatCannotBeRead, IsTriedAgainWithinMinutesAndIsAFaultAfterThree) {
  using Pages = SimulatedAppliance::Pages;
  const CapturedLog log;
  SimulatedShard shard({.tick = 1s, .remembers = true});
  PollSettings poll;
  poll.lookback = 2 * kDay;
  // So long ago that they are done soon.
  SimulatedAppliance& appliance = shard.add(one_each(1min, 20, -30h, 30s), poll);
  const auto faulty = [&] { return shard.committed(0).source.faulty_sweeps; };
  appliance.set_pages(Pages::kNoSweeps);
  for (int i = 0; i < 600 && faulty() == 0; ++i) shard.run(1s);
  ASSERT_EQ(faulty(), 1);
  ASSERT_GT(shard.view(0).sessions[static_cast<std::size_t>(Phase::kDone)], 0u);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  appliance.set_pages(Pages::kHonest);
  shard.run(5min);
  EXPECT_EQ(faulty(), 0);
  EXPECT_TRUE(shard.committed(0).source.contact_over);
  EXPECT_EQ(log.count("nothing is forgotten"), 0) << log.text();

  appliance.set_pages(Pages::kNoSweeps);
  shard.restart(0);
  shard.poller(0).backfill({}, false);
  shard.run(30min);
  EXPECT_GE(faulty(), 3);
  EXPECT_LE(faulty(), 5) << "each waits for longer";
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_NE(shard.view(0).error.find("cannot be listed completely: HTTP 503"), std::string::npos)
      << shard.view(0).error;
  appliance.set_pages(Pages::kHonest);
  shard.run(1h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
}

// Of these that had ended long before first contact, and of one that is canceled then.
std::vector<PlannedSession> many_and_a_canceled_one(std::size_t many, std::chrono::minutes then) {
  auto plan = one_each(1min, many, -30 * kDay, 30s, 1) + one_each(1min, 1, then, 30s);
  plan.back().has_no_start = true;
  return plan;
}

std::size_t missing_of_last(const SimulatedShard& shard, const std::vector<PlannedSession>& plan) {
  return shard.missing(0, plan.size() - 1, plan.size(), 1min);
}

TEST(ASweep, OfMoreThanAWindowHoldsShowsWhatHasNoStart) {
  SimulatedShard shard(for_days());
  const auto plan = many_and_a_canceled_one(20'400, 2h);
  shard.add(plan);
  shard.run(1h);
  ASSERT_TRUE(shard.committed(0).source.contact_over);
  shard.run(26h);
  EXPECT_EQ(missing_of_last(shard, plan), 0u);
  EXPECT_EQ(shard.reckoning().twice(), 0u);
}

TEST(ASweep, ThatARestartCutGoesOnInSlicesAndShowsWhatHasNoStart) {
  SimulatedShard shard({.tick = 1s, .remembers = true});
  const auto plan = many_and_a_canceled_one(40'000, -1h);
  shard.add(plan);
  const auto place = [&] { return shard.committed(0).source.sweep_place; };
  for (int i = 0; i < 600 && !place(); ++i) shard.run(1s);
  ASSERT_EQ(place(), (Instant{0, 0}));
  shard.restart(0);
  for (int i = 0; i < 1'800 && place() == Instant{0, 0}; ++i) shard.run(1s);
  ASSERT_TRUE(place()) << "a slice is over";
  shard.restart(0);
  shard.run(30min);
  EXPECT_TRUE(shard.committed(0).source.contact_over);
  EXPECT_EQ(missing_of_last(shard, plan), 0u);
}

TEST(ASweep, OfManyPassesEndsWithTheRowsThatHaveNoStart) {
  SimulatedShard shard({.tick = 100ms, .remembers = true});
  const auto plan = many_and_a_canceled_one(8'000, -1h);
  shard.add(plan, {}, PollMode::kOnePass);
  for (int i = 0; i < 20 && !shard.committed(0).source.contact_over; ++i) {
    if (i > 0) shard.restart(0);
    shard.run(5min);
    ASSERT_TRUE(shard.is_over(0)) << "pass " << i;
  }
  EXPECT_TRUE(shard.committed(0).source.contact_over);
  EXPECT_EQ(missing_of_last(shard, plan), 0u);
}

TEST(AFaultySource, IsSoAfterARestartUntilASweepHasEnded) {
  using Pages = SimulatedAppliance::Pages;
  SimulatedShard shard(for_days());
  SimulatedAppliance& appliance = shard.add(one_each(1min, 20, -1h, 30s));
  shard.run(3h);
  appliance.go_blind();
  for (int i = 0; i < 48 && shard.view(0).condition == SourceCondition::kOk; ++i) shard.run(1h);
  EXPECT_NE(shard.view(0).error.find("shows none of the sessions that it had"), std::string::npos)
      << shard.view(0).error;
  shard.run(1min);
  appliance.see_again();
  appliance.set_pages(Pages::kNoSweeps);
  shard.restart(0);
  shard.run(1min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_NE(shard.view(0).error.find("before this start"), std::string::npos) << shard.view(0).error;
  appliance.set_pages(Pages::kHonest);
  shard.run(1h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
}

TEST(LyingPages, LoseAndRepeatNothing) {
  using Pages = SimulatedAppliance::Pages;
  for (const Pages pages :
       {Pages::kTotalIsThePages, Pages::kTotalIsZero, Pages::kTotalIsHigher, Pages::kIgnoreOffset, Pages::kShuffled}) {
    SCOPED_TRACE(static_cast<int>(pages));
    SimulatedShard shard(for_days());
    const auto plan = one_each(1min, 230, -4h, 30s) + one_each(20min, 30, 10min, 17min);
    SimulatedAppliance& appliance = shard.add(plan);
    appliance.set_longest_page(30);
    appliance.set_pages(pages);
    shard.run(kDay);
    EXPECT_ALL_DELIVERED(shard, 0, plan.size());
  }
}

TEST(Total, AboveTheSameRowsInThreeSweepsIsSaidOnce) {
  CapturedLog log;
  SimulatedShard shard(for_days());
  spdlog::set_level(spdlog::level::warn);
  SimulatedAppliance& appliance = shard.add(one_each(1min, 230, -4h, 30s));
  appliance.set_pages(SimulatedAppliance::Pages::kTotalIsHigher);
  shard.run(kDay);
  EXPECT_EQ(log.count("says that it has 240 sessions and showed the same 230"), 0);
  shard.run(5 * kDay);
  EXPECT_EQ(log.count("says that it has 240 sessions and showed the same 230"), 1);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << "a total proves nothing";
}

TEST(DoneMarks, ThatNoCompleteSweepCanDropAreSaid) {
  CapturedLog log;
  SimulatedShard shard(for_days());
  spdlog::set_level(spdlog::level::warn);
  SimulatedAppliance& appliance = shard.add(one_each(1min, 230, -4h, 30s));
  shard.run(kDay);
  appliance.set_longest_page(30);
  appliance.set_pages(SimulatedAppliance::Pages::kFirstOnly);
  shard.run(2 * kDay);
  EXPECT_EQ(log.count("done sessions are remembered and"), 1);
}

// What the next window begins behind.
Instant listed_to(const SimulatedShard& shard) { return shard.committed(0).source.listed_to.value(); }

TEST(Window, BeginsNoLaterAfterAListingThatWasNotComplete) {
  SimulatedShard shard({.tick = 1s, .remembers = true});
  SimulatedAppliance& appliance = shard.add(one_each(10s, 1'000, -1h, 5s, 1));
  appliance.set_longest_page(3);  // the shortest slice, a minute, has more
  shard.run(1h);
  appliance.set_pages(SimulatedAppliance::Pages::kIgnoreOffset);
  shard.run(5min);
  const Instant before = listed_to(shard);
  shard.run(1h);
  EXPECT_EQ(listed_to(shard), before);
  appliance.set_pages(SimulatedAppliance::Pages::kHonest);
  shard.run(30min);
  EXPECT_GT(listed_to(shard), before);
}

TEST(Window, BeginsNoLaterWhileTheClockItIsReckonedByChanges) {
  SimulatedShard shard(for_days());
  SimulatedAppliance& appliance = shard.add(one_each(1h, 4, -1h, 30min));
  shard.run(1h);
  appliance.rush_clock(10s);
  shard.run(5min);
  const Instant before = listed_to(shard);
  shard.run(1h);
  EXPECT_EQ(listed_to(shard), before);
  appliance.rush_clock(0s);
  shard.run(5min);
  EXPECT_GT(listed_to(shard), before);
}

TEST(OpenSession, ThatNoListingShowsIsAskedForUntilItHasEnded) {
  SimulatedShard shard(for_days());
  SimulatedAppliance& appliance = shard.add(one_each(10min, 3, -20min, 2h));
  shard.run(30min);
  appliance.go_blind();
  shard.run(4h);
  EXPECT_EQ(shard.view(0).sessions[static_cast<std::size_t>(Phase::kDone)], 3u);
  EXPECT_ALL_DELIVERED(shard, 0, 3);
}

TEST(LastRead, ComparesALogThatIsAsItWas) {
  SimulatedShard shard(for_days());
  auto plan = one_each(1h, 1, 5min, 30min);
  plan[0].leaves_running = true;
  shard.add(plan, {.changes = Changes::kFinal});
  shard.run(3h);
  EXPECT_EQ(shard.view(0).sessions[static_cast<std::size_t>(Phase::kDone)], 1u);
  EXPECT_ALL_DELIVERED(shard, 0, 1);
}

TEST(LocalTimes, WithoutTheirZoneLoseAndRepeatNothing) {
  for (const int hours : {-11, -5, 2, 14}) {
    SCOPED_TRACE(hours);
    SimulatedShard shard(for_days());
    const auto plan = one_each(20min, 3 * 24, 10min, 30s) + one_each(1min, 3, kDay, 17min);
    shard.add(plan).write_local_times(std::chrono::hours{hours});
    shard.run(26h);
    EXPECT_ALL_DELIVERED(shard, 0, plan.size());
    EXPECT_EQ(shard.not_final(0, 0, plan.size()), 0u);
  }
}

TEST(OpenedAgain, ForAMomentIsFoundByALookBackOrTheSweep) {
  for (const auto after : {5h, 30h, 24h * 9}) {
    SCOPED_TRACE(after.count());
    SimulatedShard shard({.tick = 20s, .remembers = true});
    auto plan = one_each(1h, 2, 5min, 10min);
    plan[0].again_after_ms = static_cast<std::uint32_t>(std::chrono::milliseconds{after}.count());
    plan[0].again_length_ms = 1'000;
    plan[0].again_entries = 2;
    shard.add(plan);
    shard.run(after);
    shard.restart(0);
    shard.run(26h);
    EXPECT_EQ(shard.entries_of(0, 0), plan[0].shown_at(test::now_ms()));
    EXPECT_ALL_DELIVERED(shard, 0, 2);
    EXPECT_EQ(shard.not_final(0, 0, 2), 0u);
  }
}

}  // namespace
}  // namespace sessionlogd
