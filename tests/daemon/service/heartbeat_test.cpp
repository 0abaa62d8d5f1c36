#include "daemon/service/heartbeat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> silent_at(const Heartbeat& heartbeat, SteadyTime now) {
  std::vector<std::string> names;
  for (const auto& loop : heartbeat.silent(now)) names.emplace_back(loop.name);
  return names;
}

TEST(Heartbeat, MissesALoopOnlyBeyondItsPatience) {
  const SteadyTime t{1h};
  struct Case {
    std::optional<SteadyTime> asked;
    bool has_answered;
    SteadyTime now;
    bool is_silent;
  };
  const Case cases[] = {
      {std::nullopt, false, t + 24h, false},  // nothing was asked
      {t, false, t, false},                   // just asked
      {t, false, t + 10s, false},             // has its patience
      {t, false, t + 10s + 1ms, true},        // and no longer
      {t, true, t + 24h, false},              // has answered
      {t, false, t - 1s, false},              // asked after the time we look at
  };
  for (const Case& one : cases) {
    Heartbeat heartbeat;
    const Heartbeat::Loop loop = heartbeat.add("shard 0", 10s);
    if (one.asked) heartbeat.ask(loop, *one.asked);
    if (one.has_answered) heartbeat.answered(loop);
    EXPECT_EQ(!heartbeat.silent(one.now).empty(), one.is_silent) << (one.now - t).count();
  }
}

TEST(Heartbeat, AsksNobodyTwiceAndCountsFromTheFirstQuestion) {
  const SteadyTime t{1h};
  Heartbeat heartbeat;
  const Heartbeat::Loop loop = heartbeat.add("shard 0", 10s);
  EXPECT_TRUE(heartbeat.ask(loop, t));
  EXPECT_FALSE(heartbeat.ask(loop, t + 6s));
  ASSERT_THAT(silent_at(heartbeat, t + 11s), ElementsAre("shard 0"));
  EXPECT_EQ(heartbeat.silent(t + 11s).front().since, 11s);
  heartbeat.answered(loop);
  EXPECT_TRUE(heartbeat.ask(loop, t + 12s));
  EXPECT_THAT(silent_at(heartbeat, t + 13s), IsEmpty());
}

TEST(Heartbeat, NamesEachLoopThatIsSilentByItsOwnPatience) {
  const SteadyTime t{1h};
  Heartbeat heartbeat;
  const Heartbeat::Loop quick = heartbeat.add("shard 0", 1s), other = heartbeat.add("shard 1", 1s),
                        slow = heartbeat.add("committer", 1min);
  for (const Heartbeat::Loop loop : {quick, other, slow}) heartbeat.ask(loop, t);
  heartbeat.answered(other);
  EXPECT_THAT(silent_at(heartbeat, t + 30s), ElementsAre("shard 0"));
  EXPECT_THAT(silent_at(heartbeat, t + 2min), ElementsAre("shard 0", "committer"));
}

}  // namespace
}  // namespace sessionlogd::test
