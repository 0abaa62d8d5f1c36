// What is said of a source that comes and goes, on simulated time.
#include <gtest/gtest.h>

#include "tests/core/captured_log.h"
#include "tests/support/simulated_shard.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::PlannedSession;
using test::SimulatedAppliance;
using test::SimulatedShard;

// Sessions that run, so that there is something to ask for.
std::vector<PlannedSession> running() {
  std::vector<PlannedSession> plan;
  for (int i = 0; i < 4; ++i) plan.push_back({test::now_ms(), 3'600'000, 2});
  return plan;
}

TEST(Noise, ASourceThatComesAndGoesIsSaidOnceAndItsReturnWhenItStays) {
  SimulatedShard shard({});
  const CapturedLog log;  // behind it: it keeps the log quiet
  SimulatedAppliance& appliance = shard.add(running());
  shard.run(30s);
  for (int round = 0; round < 10; ++round) {
    appliance.go_down();
    shard.run(3min);
    appliance.come_back();
    shard.run(40s);
  }
  EXPECT_EQ(log.count("fails whatever it is asked"), 1) << log.text();
  EXPECT_EQ(log.count("source-0 responds again"), 0) << log.text();
  shard.run(2min);
  EXPECT_EQ(log.count("source-0 responds again"), 1) << log.text();
  appliance.go_down();
  shard.run(90s);
  EXPECT_EQ(log.count("fails whatever it is asked"), 2) << log.text();
}

TEST(Noise, AClockThatComesAndGoesIsSaidOnceAndThatItIsRightWhenItStays) {
  SimulatedShard shard({});
  const CapturedLog log;  // behind it: it keeps the log quiet
  SimulatedAppliance& appliance = shard.add(running());
  for (int round = 0; round < 20; ++round) {
    appliance.set_clock(60s);
    shard.run(20s);
    appliance.set_clock(0s);
    shard.run(20s);
  }
  EXPECT_EQ(log.count("ahead of ours"), 1) << log.text();
  EXPECT_EQ(log.count("agrees with ours again"), 0) << log.text();
  shard.run(2min);
  EXPECT_EQ(log.count("agrees with ours again"), 1) << log.text();
}

}  // namespace
}  // namespace sessionlogd
