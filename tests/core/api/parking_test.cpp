#include "core/api/parking.h"
#include "tests/core/steady_now.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

TEST(Parking, HoldsARefusedSecretForAQuarterOfAnHour) {
  Parking parking;
  EXPECT_EQ(parking.holds("a", kNow), std::nullopt);
  EXPECT_TRUE(parking.is_empty(kNow));
  parking.refused("a", kNow, Error(ErrorKind::kRefused, "no"));
  EXPECT_EQ(parking.holds("a", kNow)->detail, "no");
  EXPECT_TRUE(parking.holds("a", kNow + 15min - 1ms).has_value());
  EXPECT_EQ(parking.holds("a", kNow + 15min), std::nullopt);
  EXPECT_TRUE(parking.is_empty(kNow + 15min));
}

TEST(Parking, LetsAnotherSecretPass) {
  Parking parking;
  parking.refused("a", kNow, Error(ErrorKind::kRefused, "no"));
  EXPECT_EQ(parking.holds("b", kNow), std::nullopt);
  parking.refused("b", kNow + 1min, Error(ErrorKind::kRefused, "nor this"));
  EXPECT_EQ(parking.holds("b", kNow + 1min)->detail, "nor this");
}

}  // namespace
}  // namespace sessionlogd
