// Sessions that are read again after they were done, on simulated time: an entry that came long after is delivered,
// once, and nothing else is.
#include "tests/core/captured_log.h"
#include "tests/core/polling/finding.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::kDay;
using test::one_each;
using test::PlannedSession;
using test::SimulatedAppliance;
using test::SimulatedShard;

SimulatedShard::Options verified(std::chrono::milliseconds interval = kDay) {
  return {.tick = 20s, .remembers = true, .verify = interval};
}

// One an hour for two days; some entries come hours after, and no row says so.
constexpr std::size_t kSessions = 48, kLate = 5;
std::vector<PlannedSession> some_late() {
  auto plan = one_each(1h, kSessions, 10min, 10min);
  for (std::size_t i = 0; i < kLate; ++i) {
    plan[i * 8].has_late_entry = true;
    plan[i * 8].late_after_ms = static_cast<std::uint32_t>(std::chrono::milliseconds{45min}.count());
  }
  return plan;
}

std::uint64_t polls(const SimulatedAppliance& appliance) {
  std::uint64_t polls = 0;
  for (std::size_t i = 0; i < appliance.plan().size(); ++i) polls += appliance.polls_of(i);
  return polls;
}

TEST(VerifiedSessions, GetWhatCameLongAfterTheirEnd) {
  SimulatedShard shard(verified());
  shard.add(some_late());
  shard.run(4 * kDay);
  EXPECT_ALL_DELIVERED(shard, 0, kSessions);
  const SourceView view = shard.view(0);
  EXPECT_EQ(view.counts[Counted::kVerifyLate], kLate);
  EXPECT_EQ(view.sessions[3], kSessions) << "all are done again";
  EXPECT_TRUE(view.verified_at);
}

TEST(VerifiedSessions, AreNotReadAgainWhenItIsOff) {
  SimulatedShard shard(verified(0ms));
  SimulatedAppliance& appliance = shard.add(some_late());
  shard.run(50h);
  const auto before = polls(appliance);
  shard.run(2 * kDay);
  EXPECT_EQ(polls(appliance), before);
  EXPECT_EQ(shard.missing(0, 0, kSessions, 10min), kLate) << "nothing else finds them";
  EXPECT_FALSE(shard.view(0).verified_at);
}

TEST(VerifiedSessions, AreReadOnceEach) {
  SimulatedShard shard(verified());
  const auto plan = one_each(1h, 12, 10min, 10min);
  SimulatedAppliance& appliance = shard.add(plan);
  shard.run(20h);
  const auto before = polls(appliance);
  shard.run(4 * kDay);
  EXPECT_EQ(polls(appliance), before + plan.size());
  EXPECT_EQ(shard.view(0).counts[Counted::kVerifyLate], 0u);
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
}

TEST(VerifiedSessions, AreGoneOnWithAcrossRestartsAndCountedOnce) {
  SimulatedShard shard(verified());
  shard.add(some_late());
  std::uint64_t late = 0;
  for (int hours = 0; hours < 4 * 24; hours += 5) {
    shard.run(5h);
    late = std::max(late, shard.view(0).verified.late);
    shard.restart(0, 7min);
  }
  EXPECT_ALL_DELIVERED(shard, 0, kSessions);
  EXPECT_GT(late, 0u);
  EXPECT_LE(late, kLate);
}

TEST(VerifiedSessions, AreReadOnceEachThoughARoundIsCutAgainAndAgain) {
  SimulatedShard shard(verified());
  const auto plan = one_each(15min, 40, 10min, 10min);
  SimulatedAppliance& appliance = shard.add(plan);
  shard.run(20h);
  const auto before = polls(appliance);
  for (int i = 0; i < 13; ++i) {
    shard.run(2h);
    shard.restart(0);
  }
  shard.run(1h);
  // What was read and not committed is read again.
  EXPECT_GE(polls(appliance), before + plan.size());
  EXPECT_LE(polls(appliance), before + plan.size() + 3);
  EXPECT_EQ(shard.view(0).verified.sessions, plan.size());
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
}

TEST(VerifiedSessions, ThatAreCutByAKillAreDeliveredOnce) {
  for (int cut = 0; cut < 12; ++cut) {
    SCOPED_TRACE(cut);
    SimulatedShard shard(verified(1h));
    auto plan = one_each(1h, 1, 1min, 10min);
    plan[0].has_late_entry = true;
    plan[0].late_after_ms = static_cast<std::uint32_t>(std::chrono::milliseconds{12min}.count());
    shard.add(plan);
    // The hour that the first round ends in: a kill at every few minutes, with what was not committed lost.
    shard.run(58min + 20s * cut);
    shard.stop_sink();
    shard.run(2min + 1min * cut);
    shard.start_sink();
    shard.restart(0, 1min);
    shard.run(6h);
    EXPECT_ALL_DELIVERED(shard, 0, 1);
    EXPECT_EQ(shard.entries_of(0, 0), 4u);
  }
}

TEST(VerifiedSessions, ThatCannotBeReadAreCounted) {
  SimulatedShard shard(verified());
  const auto plan = one_each(1h, 10, 10min, 10min);
  SimulatedAppliance& appliance = shard.add(plan);
  shard.run(20h);
  appliance.refuse_log(3, 404);
  appliance.refuse_log(5, 500);
  shard.run(28h);
  const SourceView view = shard.view(0);
  EXPECT_EQ(view.verified.of, 10u);
  EXPECT_EQ(view.verified.sessions, 8u);
  EXPECT_EQ(view.verified.could_not, 2u);
  EXPECT_EQ(view.sessions[3], 10u);
  EXPECT_ALL_DELIVERED(shard, 0, plan.size());
}

TEST(VerifiedSessions, ThatHoldLessOrNothingDeliverNothing) {
  for (const std::size_t fingerprints : {std::size_t{1} << 30, std::size_t{0}}) {
    SimulatedShard::Options options = verified();
    options.fingerprint_bytes = fingerprints;
    SimulatedShard shard(options);
    const auto plan = one_each(1h, 10, 10min, 10min);
    SimulatedAppliance& appliance = shard.add(plan);
    shard.run(20h);
    const auto events = shard.events();
    for (std::size_t i = 0; i < 5; ++i) appliance.clear_log(i);
    shard.run(3 * kDay);
    EXPECT_EQ(shard.events(), events);
    EXPECT_EQ(shard.view(0).sessions[3], 10u);
    EXPECT_EQ(shard.reckoning().gaps(), 0u);
  }
}

TEST(VerifiedSessions, WithoutFingerprintsAreComparedByTheirSum) {
  SimulatedShard::Options options = verified();
  options.fingerprint_bytes = 0;
  SimulatedShard shard(options);
  shard.add(some_late());
  shard.run(5 * kDay);
  EXPECT_ALL_DELIVERED(shard, 0, kSessions);
  EXPECT_EQ(shard.view(0).counts[Counted::kVerifyLate], kLate);
}

TEST(VerifiedSessions, TakeATenthOfTheRateAndSayWhatWasNotReached) {
  PollSettings poll;
  poll.rate_per_second = 1;
  SimulatedShard shard({.tick = 1s, .remembers = true, .verify = 1h});
  const auto plan = one_each(4s, 600, 10s, 1s, 1);
  SimulatedAppliance& appliance = shard.add(plan, poll);
  shard.run(3h);
  std::uint64_t most = 0;
  for (int i = 0; i < 60; ++i) {
    const auto before = polls(appliance);
    shard.run(1min);
    most = std::max(most, polls(appliance) - before);
  }
  EXPECT_LE(most, 7u);
  EXPECT_GT(most, 0u);
  shard.run(1h);
  const SourceView view = shard.view(0);
  EXPECT_GT(view.verified.sessions, 0u);
  EXPECT_LT(view.verified.sessions, view.verified.of);
}

TEST(VerifiedSessions, WaitWhileAnythingIsDue) {
  PollSettings poll;
  poll.rate_per_second = 1;
  poll.interval = poll.max_interval = 5s;
  SimulatedShard shard(verified(1h));
  // Three that are done, and then more that run than can be polled.
  const auto plan = one_each(1min, 3, 1min, 1min) + one_each(1s, 60, 40min, 5h, 500);
  SimulatedAppliance& appliance = shard.add(plan, poll);
  shard.run(45min);
  ASSERT_EQ(shard.view(0).sessions[3], 3u);
  const auto before = appliance.polls_of(0) + appliance.polls_of(1) + appliance.polls_of(2);
  shard.run(2h);
  EXPECT_EQ(appliance.polls_of(0) + appliance.polls_of(1) + appliance.polls_of(2), before);
}

TEST(VerifiedSessions, AreReadThoughTheSweepsOfTheSourceFail) {
  SimulatedShard shard(verified());
  SimulatedAppliance& appliance = shard.add(some_late());
  appliance.set_pages(SimulatedAppliance::Pages::kNoSweeps);
  shard.run(4 * kDay);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_ALL_DELIVERED(shard, 0, kSessions);
  EXPECT_EQ(shard.view(0).counts[Counted::kVerifyLate], kLate);
}

TEST(VerifiedSessions, ThatWereNeverReachedAreSaidWithTheReason) {
  PollSettings poll;
  poll.rate_per_second = 1;
  poll.interval = poll.max_interval = 5s;
  SimulatedShard shard(verified(1h));
  const CapturedLog log;
  shard.add(one_each(1min, 3, 1min, 1min) + one_each(1s, 60, 40min, 5h, 500), poll);
  shard.run(4h);
  EXPECT_GE(log.count("0 of the 3 sessions of the last 24 h were verified, 0 could not be, the rest was not reached: "
                      "other sessions were due"),
            1)
      << log.text();
  EXPECT_EQ(shard.view(0).verified.of, 3u);
}

TEST(VerifiedSessions, AreThoseThatTheSourceStillLists) {
  SimulatedShard shard(verified());
  const CapturedLog log;
  SimulatedAppliance& appliance = shard.add(one_each(1h, 6, 10min, 10min));
  shard.run(20h);
  appliance.hide(0, 2);
  shard.run(27h + 30min);
  EXPECT_EQ(shard.view(0).verified.of, 4u);
  EXPECT_EQ(shard.view(0).verified.sessions, 4u);
  EXPECT_EQ(log.count("the rest was not reached"), 0) << log.text();
}

TEST(VerifiedSessions, WaitForNoneThatCannotBeReadOrCompared) {
  for (const int status : {200, 500}) {
    SCOPED_TRACE(status);
    SimulatedShard::Options options = verified(1h);
    options.tick = 1s;
    options.fingerprint_bytes = 0;
    SimulatedShard shard(options);
    SimulatedAppliance& appliance = shard.add(one_each(5s, 80, 1min, 1min));
    shard.run(50min);
    appliance.respond_to_logs([status](std::size_t session) {
      return session < 40 ? std::optional(test::SimulatedServer::Reply{
                                .after = 50ms,
                                .status = status,
                                .body = R"({"log":[{"status":"Success","message":"another's"}]})"})
                          : std::nullopt;
    });
    shard.run(75min);
    const SourceView view = shard.view(0);
    EXPECT_EQ(view.verified.of, 80u);
    EXPECT_EQ(view.verified.sessions, 40u);
  }
}

TEST(VerifiedSessions, LoseAndRepeatNothingWhileClocksStep) {
  for (const std::chrono::seconds ahead :
       {std::chrono::seconds{3h}, std::chrono::seconds{-3h}, 40 * std::chrono::seconds{kDay}}) {
    SCOPED_TRACE(ahead.count());
    SimulatedShard shard(verified(6h));
    SimulatedAppliance& appliance = shard.add(some_late());
    for (int i = 0; i < 8; ++i) {
      shard.run(5h);
      appliance.set_clock(ahead);
      if (i % 2 == 0) test::step_our_clock(ahead);
      shard.run(1h);
      appliance.set_clock(0s);
      test::step_our_clock(0s);
    }
    shard.run(kDay);
    EXPECT_EQ(shard.reckoning().twice(), 0u);
    EXPECT_EQ(shard.reckoning().gaps(), 0u);
    EXPECT_LE(shard.missing(0, 0, kSessions, 10min), kLate);
  }
}

}  // namespace
}  // namespace sessionlogd
