// Passes of `collect` that cannot list, or cannot read a log.
#include "tests/core/captured_log.h"
#include "tests/core/polling/finding.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::one_each;
using test::SimulatedAppliance;
using test::SimulatedShard;

// One pass that waits is seen by nobody.
TEST(OnePassThatCannotList, EndsSoonAndSaysWhy) {
  using Reply = SimulatedAppliance::Reply;
  const Reply busy{.after = 50ms, .status = 429, .retry_after = 3'600s};
  const Reply fails{.after = 50ms, .status = 500};
  for (const bool is_login : {true, false}) {
    const CapturedLog log;
    SimulatedShard shard({.tick = 250ms});
    spdlog::set_level(spdlog::level::info);
    SimulatedAppliance& appliance = shard.add(one_each(1min, 9, -2h, 30s), {}, PollMode::kOnePass);
    if (is_login) appliance.respond_to_tokens([&] { return std::optional(fails); });
    if (!is_login) appliance.respond_to_listings([&] { return std::optional(busy); });
    shard.run(25s);
    EXPECT_TRUE(shard.is_over(0)) << log.text();
    EXPECT_EQ(log.count("cannot be listed: "), 1) << log.text();
    EXPECT_EQ(log.count(is_login ? "HTTP 500" : "HTTP 429"), 1) << log.text();
  }
}

TEST(OnePassThatCannotList, GivesUpPagesThatNeverEnd) {
  const CapturedLog log;
  SimulatedShard shard({.tick = 1s});
  spdlog::set_level(spdlog::level::info);
  SimulatedAppliance& appliance = shard.add(one_each(1min, 900, -20h, 30s), {}, PollMode::kOnePass);
  appliance.set_longest_page(1);
  appliance.set_latency(10s, 10s);
  shard.run(80min);
  EXPECT_TRUE(shard.is_over(0)) << log.text();
  EXPECT_EQ(log.count("has not ended"), 1) << log.text();
}

TEST(OnePassThatCannotReadALog, EndsSoonWhereItIsAskedToWaitForLong) {
  const CapturedLog log;
  SimulatedShard shard({.tick = 250ms});
  spdlog::set_level(spdlog::level::info);
  SimulatedAppliance& appliance = shard.add(one_each(1min, 9, -2h, 30s), {}, PollMode::kOnePass);
  appliance.respond_to_logs([](std::size_t) {
    return std::optional(SimulatedAppliance::Reply{.after = 50ms, .status = 429, .retry_after = 3'600s});
  });
  shard.run(60s);
  EXPECT_TRUE(shard.is_over(0)) << log.text();
  EXPECT_EQ(log.count("could not be read: "), 9) << log.text();
}

TEST(OnePassThatCannotReadALog, AsksForEachOnceWhereItIsRefusedAndNamesAFew) {
  const CapturedLog log;
  SimulatedShard shard({.tick = 250ms});
  spdlog::set_level(spdlog::level::info);
  SimulatedAppliance& appliance = shard.add(one_each(1min, 40, -2h, 30s), {}, PollMode::kOnePass);
  int asked = 0;
  appliance.respond_to_logs([&](std::size_t) {
    ++asked;
    return std::optional(SimulatedAppliance::Reply{.after = 50ms, .status = 403});
  });
  shard.run(60s);
  EXPECT_TRUE(shard.is_over(0)) << log.text();
  EXPECT_EQ(asked, 40);
  EXPECT_EQ(log.count("gives no logs: "), 1) << log.text();
  EXPECT_EQ(log.count("could not be read: "), 10 + 1) << log.text();
  EXPECT_EQ(log.count("has more sessions that could not be read"), 1) << log.text();
}

}  // namespace
}  // namespace sessionlogd
