#include "core/circuit_breaker.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Attempt = CircuitBreaker::Attempt;

const SteadyTime kNow{1000h};

bool fail(CircuitBreaker& breaker, SteadyTime at, std::uint64_t request) {
  const Attempt attempt = breaker.start(at, request);
  return breaker.failed(attempt, at + 1ms);
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
      {"abc", true},   {"aab", false},  {"aaaaaaaa", false}, {"abababab", false},
      {"aabbc", true}, {"ab.c", false}, {"ab.abc", true},    {"a.b.c.d.", false},
      {"abc.", false}, {"", false},     {"cab", true},       {"ab.ab.ab", false},
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
TEST(CircuitBreaker, IgnoresAFailureThatTookLongerThanAnotherAnswer) {
  CircuitBreaker breaker;
  const Attempt slow[] = {breaker.start(kNow, 1), breaker.start(kNow, 2), breaker.start(kNow, 3)};
  breaker.answered(breaker.start(kNow + 1s, 4), kNow + 2s);
  for (const Attempt& attempt : slow) EXPECT_FALSE(breaker.failed(attempt, kNow + 30s));
  EXPECT_EQ(breaker.open_until(), std::nullopt);
}

TEST(CircuitBreaker, LetsOneProbeThroughEveryThirtySecondsWhileItIsOpen) {
  CircuitBreaker breaker = opened();
  EXPECT_EQ(breaker.ready_at(kNow + 1ms), kNow + 30s + 1ms);
  SteadyTime at = kNow + 30s + 1ms;
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(breaker.ready_at(at), at);
    const Attempt probe = breaker.start(at, 1);
    EXPECT_TRUE(probe.is_probe);
    EXPECT_EQ(breaker.ready_at(at), std::nullopt) << "one at a time";
    EXPECT_FALSE(breaker.failed(probe, at + 10s)) << "said once, when it opened";
    EXPECT_EQ(breaker.ready_at(at + 10s), at + 30s);
    at += 30s;
  }
}

TEST(CircuitBreaker, AProbeThatTakesLongerThanThirtySecondsIsFollowedByTheNext) {
  CircuitBreaker breaker = opened();
  const SteadyTime at = kNow + 1min;
  breaker.failed(breaker.start(at, 1), at + 45s);
  EXPECT_EQ(breaker.ready_at(at + 45s), at + 45s);
}

TEST(CircuitBreaker, ClosesOnAnyAnswer) {
  CircuitBreaker breaker;
  const Attempt early = breaker.start(kNow, 9);
  for (const std::uint64_t request : {1, 2}) EXPECT_FALSE(fail(breaker, kNow, request));
  EXPECT_TRUE(fail(breaker, kNow, 3));
  breaker.answered(early, kNow + 1s);
  EXPECT_EQ(breaker.ready_at(kNow + 1s), kNow + 1s) << "one that was sent before";

  breaker = opened();
  breaker.answered(breaker.start(kNow + 31s, 1), kNow + 32s);
  EXPECT_EQ(breaker.open_until(), std::nullopt);
  EXPECT_FALSE(fail(breaker, kNow + 33s, 1)) << "it counts anew";
}

TEST(CircuitBreaker, WhatWasSentBeforeItOpenedNeitherEndsTheProbeNorPutsItOff) {
  CircuitBreaker breaker;
  const Attempt early = breaker.start(kNow, 9);
  for (const std::uint64_t request : {1, 2, 3}) fail(breaker, kNow, request);
  EXPECT_FALSE(breaker.failed(early, kNow + 10s));
  EXPECT_EQ(breaker.ready_at(kNow + 10s), kNow + 30s + 1ms);
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
      what < 8    ? void(breaker.failed(attempt, now))
      : what == 8 ? void(breaker.answered(attempt, now))
                  : breaker.dropped(attempt);
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
