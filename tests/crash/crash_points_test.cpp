// The sink dies at every named point, and at every named point of the life after that.
#include "sinks/file/crash_point.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <iostream>
#include <random>

#include "tests/crash/dying_sink.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

class CrashPoints : public testing::Test {
 protected:
  CrashPoints() { spdlog::set_level(spdlog::level::off); }
  ~CrashPoints() override { spdlog::set_level(spdlog::level::info); }

  // A first life that leaves something to recover, rotate, compress and remove.
  static void prepare(const SinkPlace& place, std::uint64_t seed) { live_and_die(place, "commit.synced:12", seed); }
};

TEST_F(CrashPoints, LoseAndRepeatNothing) {
  std::mt19937_64 random(random_seed());
  for (const std::string_view point : kCrashPoints) {
    SCOPED_TRACE(point);
    SinkPlace place;
    if (point == "keep.removed") place.settings.rotate.keep = 2;
    prepare(place, random());
    EXPECT_TRUE(live_and_die(place, std::string(point), random())) << "it was never reached";
    ASSERT_EQ(judge(place), "");
    EXPECT_FALSE(live_and_die(place, "", random()));
    ASSERT_EQ(judge(place), "");
  }
}

TEST_F(CrashPoints, LoseAndRepeatNothingWhenAnotherFollowsDuringRecovery) {
  std::mt19937_64 random(random_seed());
  int pairs = 0;
  for (const std::string_view first : kCrashPoints) {
    for (const std::string_view second : kCrashPoints) {
      SCOPED_TRACE(std::string(first) + ", then " + std::string(second));
      SinkPlace place;
      if (random() % 4 == 0 || first == "keep.removed" || second == "keep.removed") place.settings.rotate.keep = 2;
      live_and_die(place, std::string(first) + ":" + std::to_string(1 + random() % 3), random());
      if (live_and_die(place, std::string(second), random())) ++pairs;
      ASSERT_EQ(judge(place), "");
    }
  }
  std::cout << pairs << " pairs of points\n";
}

}  // namespace
}  // namespace sessionlogd::test
