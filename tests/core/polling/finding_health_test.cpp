// Sources on simulated time whose listing works and whose logs do not: what an operator sees of them.
#include <fmt/core.h>
#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "tests/core/captured_log.h"
#include "tests/core/polling/finding.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::kDay;
using test::one_each;
using test::SimulatedAppliance;
using test::SimulatedShard;
using testing::HasSubstr;
using Reply = test::SimulatedServer::Reply;

// As the shard does it.
void run(SimulatedShard& shard, std::chrono::seconds span) {
  for (auto past = 0s; past < span; past += 5s) {
    shard.run(5s);
    for (std::size_t i = 0; i < shard.size(); ++i) shard.poller(i).look();
  }
}

SimulatedShard::Options options() { return {.tick = 100ms, .remembers = true}; }

// Sessions that run for the whole test.
std::vector<test::PlannedSession> running(std::size_t count) { return one_each(1s, count, -1h, 10 * kDay, 500); }

Reply refusal(int status, std::string body = {}) { return {.after = 50ms, .status = status, .body = std::move(body)}; }

struct Cause {
  const char* name;
  Reply reply;
  const char* in_error;  // cause, or what to do
  bool is_refusal;       // known at once, and not after ten times max_interval only
  bool breaks = false;   // the circuit breaker opens now and then: then it says what is wrong
};

void PrintTo(const Cause& cause, std::ostream* out) { *out << cause.name; }

class LogsThatCannotBeRead : public testing::TestWithParam<Cause> {};

TEST_P(LogsThatCannotBeRead, MakeASourceThatIsNotWell) {
  SimulatedShard shard(options());
  const CapturedLog log;
  SimulatedAppliance& appliance = shard.add(running(8));
  run(shard, 120s);
  ASSERT_EQ(shard.view(0).condition, SourceCondition::kOk);
  appliance.respond_to_logs([](std::size_t) { return GetParam().reply; });
  run(shard, GetParam().is_refusal ? 150s : 11min);
  const SourceView view = shard.view(0);
  EXPECT_TRUE(view.condition == SourceCondition::kBackingOff || GetParam().breaks);
  EXPECT_THAT(view.error, HasSubstr(GetParam().in_error));
  EXPECT_GT(view.sessions_failing, 0u);
  EXPECT_GT(view.lag, GetParam().is_refusal ? 20s : 9min);
  for (int minute = 0; minute < 60; ++minute) {
    run(shard, 1min);
    EXPECT_NE(shard.view(0).condition, SourceCondition::kOk) << minute;
  }
  EXPECT_TRUE(log.count("gives no logs") == 1 || GetParam().breaks) << log.text();
  EXPECT_LE(log.count("gives no logs"), 1) << log.text();
  EXPECT_GT(shard.view(0).lag, 1h) << "its alert can fire";

  appliance.respond_to_logs([](std::size_t) { return std::nullopt; });
  run(shard, 10min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  EXPECT_EQ(shard.view(0).sessions_failing, 0u);
  EXPECT_EQ(log.count("gives logs again"), log.count("gives no logs")) << log.text();
  EXPECT_LT(shard.view(0).lag, 1min);
}

INSTANTIATE_TEST_SUITE_P(
    Of, LogsThatCannotBeRead,
    testing::Values(
        Cause{"Http401", refusal(401), "give the account the right", true},
        Cause{"Http403", refusal(403, R"({"message":"EULA not accepted"})"), "EULA not accepted; give the account",
              true},
        Cause{"Http400", refusal(400, R"({"message":"EULA not accepted"})"), "EULA not accepted; look at", true},
        Cause{"Http404", refusal(404), "HTTP 404 to", true}, Cause{"Http405", refusal(405), "HTTP 405 to", true},
        Cause{"Http409", refusal(409), "HTTP 409 to", true}, Cause{"Http410", refusal(410), "HTTP 410 to", true},
        Cause{"Http422", refusal(422), "HTTP 422 to", true},
        Cause{"Http429", refusal(429), "none of its logs could be read for 10 minutes: HTTP 429", false},
        Cause{"NoJson", {.after = 50ms, .status = 200, .body = "<html>"}, "what stands between", true},
        Cause{"OtherJson",
              {.after = 50ms, .status = 200, .body = R"({"status":"starting"})"},
              "what stands between",
              true},
        // A connection that is held until the client's time is up.
        Cause{"Hanging", {.after = 30s, .status = 0}, "no connection", false, true}),
    [](const testing::TestParamInfo<Cause>& cause) { return cause.param.name; });

TEST(AWrongVersion, IsCalledSoWhereTheResponseSaysIt) {
  for (const auto& [body, is_said] : {std::pair(R"({"message":"version not supported, use 1.8-rev0"})", true),
                                      std::pair(R"({"message":"EULA not accepted"})", false), std::pair("", false)}) {
    SimulatedShard shard(options());
    shard.add(running(8)).respond_to_logs([&body = body](std::size_t) { return refusal(400, body); });
    run(shard, 90s);
    EXPECT_EQ(shard.view(0).error.find("wrong api_version?") != std::string::npos, is_said) << shard.view(0).error;
  }
}

TEST(SessionsThatFail, MakeASourceNotWellWhenTheyAreATenth) {
  SimulatedShard shard(options());
  const CapturedLog log;
  SimulatedAppliance& appliance = shard.add(running(55));
  appliance.respond_to_logs(
      [](std::size_t session) { return session < 10 ? std::optional(refusal(403)) : std::nullopt; });
  run(shard, 5min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << "it may pass";
  EXPECT_EQ(shard.view(0).sessions_failing, 10u);
  run(shard, 7min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_THAT(shard.view(0).error, HasSubstr("10 of 55 sessions could not be read for 10 minutes: HTTP 403"));
  EXPECT_EQ(log.count("gives no logs"), 1) << log.text();

  appliance.respond_to_logs([](std::size_t) { return std::nullopt; });
  run(shard, 5min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk);
  EXPECT_EQ(shard.view(0).sessions_failing, 0u);
  EXPECT_EQ(log.count("gives logs again"), 1) << log.text();
}

// So often the others are read in a quarter of an hour.
std::uint64_t polls_of_good(std::size_t bad) {
  SimulatedShard shard(options());
  const CapturedLog log;
  SimulatedAppliance& appliance = shard.add(running(30));
  appliance.respond_to_logs([=](std::size_t session) {
    return session % 3 == 0 && session / 3 < bad ? std::optional(refusal(500)) : std::nullopt;
  });
  run(shard, 15min);
  EXPECT_EQ(shard.view(0).sessions_failing, bad);
  EXPECT_EQ(log.count("fails whatever it is asked"), 0) << log.text();
  std::uint64_t polls = 0;
  for (std::size_t session = 0; session < 30; ++session) polls += session % 3 == 0 ? 0 : appliance.polls_of(session);
  return polls;
}

TEST(SessionsThatFail, WithAFaultOfTheServerDoNotSlowTheOthers) {
  const std::uint64_t alone = polls_of_good(0), beside = polls_of_good(10);
  EXPECT_GE(beside * 100, alone * 95) << beside << " of " << alone;
}

TEST(SessionsThatFail, AreCountedBelowATenth) {
  SimulatedShard shard(options());
  const CapturedLog log;
  shard.add(running(55)).respond_to_logs([](std::size_t session) {
    return session < 2 ? std::optional(refusal(403)) : std::nullopt;
  });
  run(shard, 1h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk);
  EXPECT_EQ(shard.view(0).sessions_failing, 2u);
  EXPECT_GT(shard.view(0).lag, 59min) << "of a due session that cannot be read";
  EXPECT_EQ(log.count("gives no logs"), 0) << log.text();
}

TEST(SessionsThatFail, ForTheirLogSeemsToBeAnothersAreSaidSo) {
  SimulatedShard shard(options());
  SimulatedAppliance& appliance = shard.add(running(2));
  run(shard, 2min);
  ASSERT_EQ(shard.view(0).condition, SourceCondition::kOk);
  // Another log, of a session that no row can vouch for any more.
  appliance.go_blind();
  appliance.refuse_rows(500);
  appliance.respond_to_logs([](std::size_t) {
    return Reply{.after = 50ms, .status = 200, .body = R"({"log":[{"status":"Success","message":"another's"}]})"};
  });
  run(shard, 15min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_THAT(shard.view(0).error, HasSubstr("its log seems to be another session's; look"));
  EXPECT_EQ(shard.view(0).sessions_failing, 2u);
}

TEST(AFinishedSession, WithoutItsLogMakesNoSourceNotWell) {
  for (const std::size_t purged : {1u, 3u, 12u}) {
    SCOPED_TRACE(purged);
    SimulatedShard shard(options());
    const CapturedLog log;
    SimulatedAppliance& appliance = shard.add(one_each(1s, 20, -1h, 5min) + one_each(1h, 2, 20min, 5min));
    for (std::size_t i = 0; i < purged; ++i) appliance.refuse_log(i, 404);
    run(shard, 90min);
    EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
    EXPECT_EQ(shard.view(0).sessions_failing, purged);
    EXPECT_LE(log.count("gives no logs"), purged < 3 ? 0 : 1) << log.text();
  }
}

// Of a quiet source nothing else is read for hours, but by verify.
TEST(FinishedSessions, WithoutTheirLogsMakeNoSourceNotWellWhoseLogsVerifyReads) {
  SimulatedShard shard({.tick = 1s, .remembers = true, .verify = 1h});
  SimulatedAppliance& appliance = shard.add(one_each(1min, 30, -50min, 30s) + one_each(1min, 3, 2h, 30s));
  for (std::size_t i = 30; i < 33; ++i) appliance.refuse_log(i, 404);
  run(shard, 2h + 30min);
  EXPECT_EQ(shard.view(0).sessions_failing, 3u);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
}

TEST(FinishedSessions, ThatAllLackTheirLogsMakeASourceNotWell) {
  SimulatedShard shard(options());
  SimulatedAppliance& appliance = shard.add(one_each(1min, 20, -10min, 30s));
  run(shard, 5min);
  ASSERT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  appliance.respond_to_logs([](std::size_t) { return refusal(404); });
  run(shard, 10min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_THAT(shard.view(0).error, HasSubstr("HTTP 404"));
}

TEST(ARetryAfter, IsSaidOnceAndShownUntilItIsOver) {
  SimulatedShard shard(options());
  const CapturedLog log;
  SimulatedAppliance& appliance = shard.add(running(8));
  run(shard, 60s);
  appliance.respond_to_logs([](std::size_t) { return Reply{.after = 50ms, .status = 429, .retry_after = 3'600s}; });
  run(shard, 65s);  // each is read once in a minute at least
  SourceView view = shard.view(0);
  ASSERT_TRUE(view.waiting_until);
  EXPECT_EQ(view.waiting_for, WaitingFor::kRetryAfter);
  EXPECT_GT(view.waiting, 58min);
  EXPECT_LE(view.waiting, 1h);
  EXPECT_EQ(log.count("is not asked anything for"), 1) << log.text();
  run(shard, 15min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_THAT(shard.view(0).error, HasSubstr("HTTP 429"));

  appliance.respond_to_logs([](std::size_t) { return std::nullopt; });
  run(shard, 1h);
  view = shard.view(0);
  EXPECT_FALSE(view.waiting_until);
  EXPECT_EQ(view.waiting.count(), 0);
  EXPECT_EQ(view.condition, SourceCondition::kOk) << view.error;
  EXPECT_EQ(log.count("is not asked anything for"), 1) << log.text();
  EXPECT_EQ(log.count("is asked again"), 1) << log.text();
}

TEST(AFullQueue, IsNoFaultOfASource) {
  SimulatedShard shard({.tick = 100ms, .remembers = true, .queue_bytes = 2'000});
  const CapturedLog log;
  shard.add(running(20));
  run(shard, 60s);
  shard.stop_sink();
  run(shard, 3h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  EXPECT_GT(shard.view(0).lag, 2h);
  shard.start_sink();
  run(shard, 2min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  EXPECT_EQ(log.count("gives no logs"), 0) << log.text();
}

// "session-0-9" is not there, and the appliance gives the other one for an id in another case.
TEST(ANamedSession, ThatWasNeverHadMakesASourceNotWell) {
  for (const PollMode mode : {PollMode::kForever, PollMode::kOnePass}) {
    SCOPED_TRACE(mode == PollMode::kOnePass);
    SimulatedShard shard(options());
    const CapturedLog log;
    shard.add(one_each(1min, 3, -50min, 30s), {.settle = 1s}, mode, {"session-0-1", "Session-0-2", "session-0-9"});
    run(shard, 10min);
    EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
    EXPECT_THAT(shard.view(0).error, HasSubstr("2 of the sessions that `sessions` names could never be had"));
    EXPECT_THAT(shard.view(0).error, HasSubstr("such as Session-0-2: the response names another session"));
    EXPECT_EQ(log.count("could never be had"), 1) << log.text();
    EXPECT_TRUE(shard.counters(0).failing);
    EXPECT_EQ(shard.appliance(0).read_of(1), 3u) << "the others are read";
    EXPECT_EQ(shard.is_over(0), mode == PollMode::kOnePass);
  }
}

TEST(ANamedSession, ThatComesLateOrIsGoneMakesASourceWell) {
  SimulatedShard shard(options());
  const CapturedLog log;
  SimulatedAppliance& appliance = shard.add(one_each(1h, 1, 20min, 30s), {}, PollMode::kForever, {"session-0-0"});
  run(shard, 5min);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  run(shard, 1h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  EXPECT_EQ(log.count("has all the sessions that `sessions` names"), 1) << log.text();
  appliance.hide(0, 1);
  run(shard, 1h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  EXPECT_FALSE(shard.counters(0).failing);
  EXPECT_EQ(log.count("could never be had"), 1) << log.text();
}

TEST(ASource, WithNothingDueIsWell) {
  SimulatedShard shard(options());
  SimulatedAppliance& appliance = shard.add(one_each(1min, 5, -50min, 5min));
  run(shard, 30min);
  appliance.respond_to_logs([](std::size_t) { return refusal(403); });
  run(shard, 2h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  EXPECT_EQ(shard.view(0).lag.count(), 0);
}

// With each listing the session's start is another, and those of its entries are.
TEST(ASource, WhoseStartsChangeWithEachListingIsNotWellAndIsNotReadForEver) {
  SimulatedShard shard({.tick = 1s, .remembers = true});
  const CapturedLog log;
  SimulatedAppliance& appliance = shard.add(one_each(1min, 1, -50min, 5min));
  const auto time = [] {
    std::string text;
    // The same for both pages of a listing.
    append_rfc3339(text, {test::now_ms() / 29'000 * 29 - 3'600, 0});
    return text;
  };
  const auto row = [&] {
    return fmt::format(R"({{"id":"session-0-0","type":"Policy","status":"Succeeded","executionStartTime":"{0}",)"
                       R"("executionStopTime":"{0}"}})",
                       time());
  };
  appliance.respond_to_listings(
      [&] { return Reply{.after = 50ms, .status = 200, .body = R"({"totalCount":1,"results":[)" + row() + "]}"}; });
  appliance.refuse_rows(503);
  appliance.respond_to_logs([&](std::size_t) {
    return Reply{.after = 50ms,
                 .status = 200,
                 .body = fmt::format(R"({{"sessionId":"session-0-0","log":[{{"status":"Success","logTime":"{0}",)"
                                     R"("message":"m","executionStartTime":"{0}","executionDuration":0}}]}})",
                                     time())};
  });
  run(shard, 6h);
  EXPECT_LE(shard.view(0).sessions[3], 7u * SessionTable::kMostYoung);
  EXPECT_GE(shard.view(0).sessions[3], 5u) << "it is put off, not dropped";
  EXPECT_LE(shard.events(), 10u * SessionTable::kMostYoung);
  EXPECT_EQ(shard.reckoning().gaps(), 0u);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kBackingOff);
  EXPECT_THAT(shard.view(0).error, HasSubstr("the start of session session-0-0 changes"));
  EXPECT_EQ(log.count("the start of session session-0-0 changes"), 1) << log.text();
  appliance.refuse_rows(0);
  appliance.respond_to_listings([] { return std::nullopt; });
  appliance.respond_to_logs([](std::size_t) { return std::nullopt; });
  run(shard, 3h);
  EXPECT_EQ(shard.view(0).condition, SourceCondition::kOk) << shard.view(0).error;
  EXPECT_EQ(log.count("starts of sessions hold again"), 1) << log.text();
}

TEST(ASource, ShowsHowLongItsResponsesTake) {
  SimulatedShard shard(options());
  shard.add(running(8)).set_latency(200ms, 200ms);
  run(shard, 60s);
  const SourceView view = shard.view(0);
  EXPECT_GE(view.response_p50.value_or(0s), 200ms);
  EXPECT_LT(view.response_p95.value_or(0s), 500ms);
}

}  // namespace
}  // namespace sessionlogd
