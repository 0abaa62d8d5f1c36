#include "core/base/zone_guess.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr Instant kToday{1'800'000'000, 0};

// A session began 10 s ago, and a listing came 30 s ago; its row is off by so much.
std::optional<std::chrono::minutes> began(ZoneGuess& guess, std::chrono::seconds off) {
  return guess.began({kToday.seconds - 10 + off.count(), 0}, {kToday.seconds - 30, 0}, kToday);
}

TEST(ZoneGuess, TellsAZoneFromThreeStartsInARow) {
  for (const std::chrono::minutes zone : {-300min, 120min, 330min, -15min, 15min}) {
    ZoneGuess guess;
    EXPECT_FALSE(began(guess, zone));
    EXPECT_FALSE(began(guess, zone));
    EXPECT_EQ(began(guess, zone), zone);
    EXPECT_FALSE(began(guess, zone)) << "it was said";
  }
}

TEST(ZoneGuess, SaysNothingOfStartsThatAreRightOrOffByChance) {
  ZoneGuess guess;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(began(guess, 0s));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(began(guess, 7min)) << "no zone";
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(began(guess, 24h * 30)) << "planned long before";
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(began(guess, 60min));
    EXPECT_FALSE(began(guess, 120min));
  }
  EXPECT_FALSE(began(guess, 60min));
  EXPECT_FALSE(began(guess, 0s)) << "one that is right begins anew";
  EXPECT_FALSE(began(guess, 60min));
  EXPECT_FALSE(began(guess, 60min));
  EXPECT_TRUE(began(guess, 60min));
}

// Where listings are far apart several zones would do.
TEST(ZoneGuess, SaysNothingWhereItCannotBeTold) {
  ZoneGuess guess;
  for (int i = 0; i < 5; ++i)
    EXPECT_FALSE(guess.began({kToday.seconds + 7'200, 0}, {kToday.seconds - 3'600, 0}, kToday));
}

}  // namespace
}  // namespace sessionlogd
