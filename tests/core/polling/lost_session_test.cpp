#include "core/polling/lost_session.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

TEST(LostSession, IsGivenUpAfterThreeReadsOverAnHour) {
  using namespace std::chrono_literals;
  const SteadyTime start{1000h}, well = start + 5min;
  LostSession lost;
  for (const auto at : {0min, 1min, 59min}) {
    lost.failed(start + at);
    EXPECT_FALSE(lost.given_up(well));
  }
  lost.failed(start + 60min);
  EXPECT_TRUE(lost.given_up(well));
  lost.cleared();
  lost.failed(start + 300min);
  lost.failed(start + 400min);
  EXPECT_FALSE(lost.given_up(start + 350min)) << "two reads are not three";
}

TEST(LostSession, IsNotGivenUpWhileItsSourceDoesNothingForOthers) {
  using namespace std::chrono_literals;
  const SteadyTime start{1000h};
  LostSession lost;
  for (const auto at : {0h, 1h, 24h}) lost.failed(start + at);
  EXPECT_FALSE(lost.given_up(start - 1min));
  EXPECT_TRUE(lost.given_up(start + 1min));
  lost.failed(start + 30 * 24h);
  EXPECT_TRUE(lost.given_up(start - 1min)) << "nothing will come of it any more";
}

}  // namespace
}  // namespace sessionlogd
