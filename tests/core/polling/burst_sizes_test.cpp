#include "core/polling/burst_sizes.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using Kept = BurstSizes::Kept;

class BurstSizesTest : public testing::Test {
 protected:
  Kept learn(Kept session, double silence, double count) {
    return sizes_.learn(session, silence, count, 1, dither_(random_));
  }

  BurstSizes sizes_;
  std::mt19937_64 random_{test::random_seed()};
  std::uniform_real_distribution<double> dither_;
};

TEST_F(BurstSizesTest, AreOneWhereNothingIsKnown) {
  for (const double silence : {0.0, 1.0, 1e9}) EXPECT_EQ(sizes_.expected(0, silence), 1);
}

TEST_F(BurstSizesTest, OfANewSessionAreThoseOfItsTypeAfterSuchASilence) {
  for (int i = 0; i < 400; ++i) learn(0, i % 2 == 0 ? 300 : 20, i % 2 == 0 ? 16 : 1);
  EXPECT_NEAR(sizes_.expected(0, 310), 16, 1);
  EXPECT_NEAR(sizes_.expected(0, 21), 1, 1);
  EXPECT_NEAR(sizes_.mean(), 8.5, 1);
}

TEST_F(BurstSizesTest, OfASessionAreItsOwnWhereOthersRepeatTheirs) {
  Kept one = 0, many = 0;
  for (int i = 0; i < 300; ++i) one = learn(one, 100, 1), many = learn(many, 100, 20);
  EXPECT_NEAR(sizes_.expected(one, 100), 1, 1);
  EXPECT_NEAR(sizes_.expected(many, 100), 20, 2);
}

// In the mean: what chance seems to foretell comes and goes.
TEST_F(BurstSizesTest, OfASessionAreThoseOfItsTypeWhereChanceSaysThem) {
  const auto by_chance = [&] { return random_() % 2 == 0 ? 20.0 : 2.0; };
  double sum = 0;
  constexpr int kBursts = 20'000;
  for (int i = 0; i < kBursts; ++i) {
    const Kept session = learn(0, 100, by_chance());
    learn(session, 100, by_chance());
    sum += sizes_.expected(41, 100) - sizes_.expected(1, 100);
  }
  EXPECT_LT(sum / kBursts, 31 * 0.15) << "of the 31 that lie between the two";
}

// Whatever comes, what is kept fits into its bits, and a burst has at least one entry.
TEST_F(BurstSizesTest, StayWithinTheirBounds) {
  std::lognormal_distribution<double> any(0, 8);
  Kept session = 0;
  for (int i = 0; i < 20'000; ++i) {
    session = sizes_.learn(session, any(random_), 1 + any(random_), dither_(random_), dither_(random_));
    ASSERT_TRUE(session >= 1 && session < 64) << session;
    const double expected = sizes_.expected(session, any(random_));
    ASSERT_TRUE(expected >= 1 && expected <= 32.0 * 1.1) << expected;
  }
}

}  // namespace
}  // namespace sessionlogd
