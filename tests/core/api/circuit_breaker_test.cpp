#include "core/api/circuit_breaker.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>

#include "tests/core/steady_now.h"
#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Attempt = CircuitBreaker::Attempt;

void fail(CircuitBreaker& breaker, SteadyTime at, std::uint64_t request) {
  const Attempt attempt = breaker.start(at, request);
  breaker.failed(attempt, at + 1ms);
}

void response(CircuitBreaker& breaker, SteadyTime at, std::uint64_t request) {
  const Attempt attempt = breaker.start(at, request);
  breaker.answered(attempt, at + 1ms);
}

CircuitBreaker opened() {
  CircuitBreaker breaker;
  for (const std::uint64_t request : {1, 2, 3}) fail(breaker, kNow, request);
  return breaker;
}

// Each letter is a request that fails, "." one that is answered.
TEST(CircuitBreaker, OpensWhenThreeDifferentRequestsFailAndNothingIsAnsweredMeanwhile) {
  struct Case {
    std::string_view requests;
    bool open;
  };
  const Case cases[] = {
      {"abc", true},   {"aab", false},    {"aaaaaaaa", false}, {"abababab", false},  {"aabbc", true},
      {"ab.c", false}, {"ab.cde", true},  {"a.b.c.d.", false}, {"abc.", false},      {"", false},
      {"cab", true},   {"ab.abc", false}, {"abc.abc", false},  {"abc.abcde", false}, {"abc.abcdef", true},
  };
  for (const Case& c : cases) {
    CircuitBreaker breaker;
    SteadyTime at = kNow;
    for (const char request : c.requests) {
      at += 1s;
      if (request == '.') {
        breaker.answered(breaker.start(at, 0), at + 1ms);
      } else {
        fail(breaker, at, static_cast<std::uint64_t>(request));
      }
    }
    EXPECT_EQ(breaker.open_until().has_value(), c.open) << c.requests;
  }
}

// Time-outs take long: many other requests may be answered from their start to their end.
TEST(CircuitBreaker, IgnoresAFailureThatTookLongerThanAnotherResponse) {
  CircuitBreaker breaker;
  const Attempt slow[] = {breaker.start(kNow, 1), breaker.start(kNow, 2), breaker.start(kNow, 3)};
  breaker.answered(breaker.start(kNow + 1s, 4), kNow + 2s);
  for (const Attempt& attempt : slow) breaker.failed(attempt, kNow + 30s);
  EXPECT_EQ(breaker.open_until(), std::nullopt);
  for (const std::uint64_t request : {1, 2, 3}) fail(breaker, kNow + 40s, request);
  EXPECT_EQ(breaker.open_until(), std::nullopt) << "they fail alone";
}

TEST(CircuitBreaker, LetsOneProbeThroughAtDoublingDistancesUpToThirtySecondsWhileItIsOpen) {
  CircuitBreaker breaker = opened();
  SteadyTime at = kNow + 1ms;
  for (const auto distance : {1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s}) {
    EXPECT_EQ(breaker.ready_at(at), at + distance);
    at += distance;
    const Attempt probe = breaker.start(at, 1);
    EXPECT_TRUE(probe.is_probe);
    EXPECT_EQ(breaker.ready_at(at), std::nullopt) << "one at a time";
    breaker.failed(probe, at + 500ms);
  }
  response(breaker, at + 30s, 1);
  for (const std::uint64_t request : {11, 12, 13}) fail(breaker, at + 1min, request);
  EXPECT_EQ(breaker.ready_at(at + 1min), at + 1min + 1ms + 1s) << "it begins with a second again";
}

TEST(CircuitBreaker, AProbeThatTakesLongerThanItsDistanceIsFollowedByTheNext) {
  CircuitBreaker breaker = opened();
  const SteadyTime at = kNow + 1min;
  breaker.failed(breaker.start(at, 1), at + 45s);
  EXPECT_EQ(breaker.ready_at(at + 45s), at + 45s);
}

TEST(CircuitBreaker, WhatFailsAloneCountsAgainWhenItWasAnsweredOrNothingIsForAMinute) {
  CircuitBreaker breaker = opened();
  response(breaker, kNow + 10s, 4);
  for (const std::uint64_t request : {1, 2, 3}) fail(breaker, kNow + 20s, request);
  EXPECT_EQ(breaker.open_until(), std::nullopt);
  CircuitBreaker later = breaker;
  for (const std::uint64_t request : {1, 2, 3}) response(breaker, kNow + 30s, request);
  for (const std::uint64_t request : {1, 2, 3}) fail(breaker, kNow + 40s, request);
  EXPECT_NE(breaker.open_until(), std::nullopt) << "they were answered";

  for (const std::uint64_t request : {1, 2, 3}) fail(later, kNow + 69s, request);
  EXPECT_EQ(later.open_until(), std::nullopt);
  for (const std::uint64_t request : {1, 2, 3}) fail(later, kNow + 71s, request);
  EXPECT_NE(later.open_until(), std::nullopt) << "nothing is answered";
}

TEST(CircuitBreaker, RemembersABoundedNumberThatFailAlone) {
  CircuitBreaker breaker;
  const std::uint64_t most = CircuitBreaker::kMostAlone;
  const auto fail_alone = [&](std::uint64_t request) {
    const Attempt attempt = breaker.start(kNow, request);
    response(breaker, kNow + 1s, 0);
    breaker.failed(attempt, kNow + 2s);
  };
  for (std::uint64_t request = 1; request <= most + 3; ++request) fail_alone(request);
  for (std::uint64_t request = 4; request <= most + 3; ++request) fail(breaker, kNow + 3s, request);
  EXPECT_EQ(breaker.open_until(), std::nullopt);
  for (const std::uint64_t request : {1, 2, 3}) fail(breaker, kNow + 3s, request);
  EXPECT_NE(breaker.open_until(), std::nullopt) << "the oldest are forgotten";
}

// Three of thirty that are asked in a row are not the source.
TEST(CircuitBreaker, IsBelievedWhenNothingIsAnsweredForFiveSeconds) {
  CircuitBreaker breaker = opened();
  EXPECT_FALSE(breaker.is_believed(kNow + 4'999ms));
  EXPECT_TRUE(breaker.is_believed(kNow + 5s));
  response(breaker, kNow + 6s, 1);
  EXPECT_FALSE(breaker.is_believed(kNow + 6s));

  CircuitBreaker slow;
  const Attempt attempts[] = {slow.start(kNow, 1), slow.start(kNow, 2), slow.start(kNow, 3)};
  for (const Attempt& attempt : attempts) {
    EXPECT_FALSE(slow.is_believed(kNow + 30s)) << "closed";
    slow.failed(attempt, kNow + 30s);
  }
  EXPECT_TRUE(slow.is_believed(kNow + 30s)) << "their time-outs took as long";
}

TEST(CircuitBreaker, ClosesOnAnyResponse) {
  CircuitBreaker breaker;
  const Attempt early = breaker.start(kNow, 9);
  for (const std::uint64_t request : {1, 2, 3}) fail(breaker, kNow, request);
  EXPECT_NE(breaker.open_until(), std::nullopt);
  breaker.answered(early, kNow + 1s);
  EXPECT_EQ(breaker.ready_at(kNow + 1s), kNow + 1s) << "one that was sent before";

  breaker = opened();
  breaker.answered(breaker.start(kNow + 31s, 1), kNow + 32s);
  EXPECT_EQ(breaker.open_until(), std::nullopt);
  for (const std::uint64_t request : {11, 12}) fail(breaker, kNow + 33s, request);
  EXPECT_EQ(breaker.open_until(), std::nullopt) << "it counts anew";
}

TEST(CircuitBreaker, WhatWasSentBeforeItOpenedNeitherEndsTheProbeNorPutsItOff) {
  CircuitBreaker breaker;
  const Attempt early = breaker.start(kNow, 9);
  for (const std::uint64_t request : {1, 2, 3}) fail(breaker, kNow, request);
  breaker.failed(early, kNow + 100ms);
  EXPECT_EQ(breaker.ready_at(kNow + 100ms), kNow + 1s + 1ms);
}

TEST(CircuitBreaker, AProbeThatWasDroppedIsMadeUpForAtOnce) {
  CircuitBreaker breaker = opened();
  breaker.dropped(breaker.start(kNow + 31s, 1));
  EXPECT_EQ(breaker.ready_at(kNow + 32s), kNow + 32s);
}

TEST(CircuitBreaker, NeverHasMoreThanOneProbeOutWhateverHappens) {
  std::mt19937_64 random(test::random_seed());
  CircuitBreaker breaker;
  std::vector<Attempt> out;
  SteadyTime now = kNow;
  int probes = 0, most = 0;
  for (int step = 0; step < 20'000; ++step) {
    now += std::chrono::milliseconds(random() % 3'000);
    if (random() % 2 == 0 && out.size() < 4 && breaker.ready_at(now) == now) {
      out.push_back(breaker.start(now, random() % 6));
      probes += out.back().is_probe;
    } else if (!out.empty()) {
      const Attempt attempt = out.back();
      out.pop_back();
      const std::uint64_t what = random() % 10;
      what < 8 ? breaker.failed(attempt, now) : what == 8 ? breaker.answered(attempt, now) : breaker.dropped(attempt);
    }
    int now_out = 0;
    for (const Attempt& attempt : out) now_out += attempt.is_probe && breaker.open_until() ? 1 : 0;
    most = std::max(most, now_out);
  }
  EXPECT_GT(probes, 100);
  EXPECT_LE(most, 2) << "a probe that an earlier request overtook, and its successor";
}

}  // namespace
}  // namespace sessionlogd
