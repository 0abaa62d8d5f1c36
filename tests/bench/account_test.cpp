#include "bench/fleet/account.h"

#include <gtest/gtest.h>

namespace fleet {
namespace {

TEST(Account, HoldsARequestAgainstTheClientThatCouldHaveReadTheWishToWait) {
  struct Case {
    const char* what;
    Nanos after;
    std::uint64_t excused, held_against;
  };
  const Case cases[] = {
      {"before it", -kMillisecond, 0, 0},    {"at once", kMillisecond, 1, 0},
      {"much later", kSecond / 2, 0, 1},     {"just before its end", 2 * kSecond - 11 * kMillisecond, 0, 1},
      {"after the span", 2 * kSecond, 0, 0},
  };
  for (const Case& c : cases) {
    Account account;
    account.arrived(kHour + c.after);
    account.asked_to_wait(kHour, kHour + 2 * kSecond);  // told later, and yet it was before
    EXPECT_EQ(account.judged().on_the_wire, c.excused) << c.what;
    EXPECT_EQ(account.judged().inside_retry_after, c.held_against) << c.what;
  }
}

TEST(Account, TellsHowLongTheWishHadBeenThere) {
  Account account;
  account.asked_to_wait(kHour, kHour + 2 * kSecond);
  for (const Nanos after : {3, 7, 5}) account.arrived(kHour + after * kMillisecond);
  EXPECT_EQ(account.judged().latest_on_the_wire, 7 * kMillisecond);
}

TEST(Account, ASecondRefusalWithinASpanExcusesNothingMore) {
  Account account;
  account.asked_to_wait(kHour, kHour + 2 * kSecond);
  account.asked_to_wait(kHour + kSecond, kHour + 3 * kSecond);
  account.arrived(kHour + kSecond + kMillisecond);
  EXPECT_EQ(account.judged().inside_retry_after, 1u);
}

TEST(Account, AWishThatComesAsAnotherEndsMayCrossARequest) {
  Account account;
  account.asked_to_wait(kHour, kHour + kSecond);
  account.asked_to_wait(kHour + kSecond - kMillisecond, kHour + 2 * kSecond);
  account.arrived(kHour + kSecond + kMillisecond);
  EXPECT_EQ(account.judged().inside_retry_after, 0u);
  EXPECT_EQ(account.judged().latest_on_the_wire, 2 * kMillisecond);
  account.arrived(kHour + kSecond + kSecond / 2);
  EXPECT_EQ(account.judged().inside_retry_after, 1u);
}

// In whatever order the fleet's thread learns of it: four follow each other on each of four connections.
TEST(Account, CountsInFlightByWhenItWasAndNotByWhenItWasTold) {
  Account in_order, arrivals_first;
  for (int round = 0; round < 4; ++round) {
    const Nanos at = kHour + round * kMillisecond;
    for (int connection = 0; connection < 4; ++connection) in_order.arrived(at + connection);
    for (int connection = 0; connection < 4; ++connection) in_order.ended(at + kMillisecond);
    for (int connection = 0; connection < 4; ++connection) arrivals_first.arrived(at + connection);
  }
  for (int round = 4; round > 0; --round) {
    for (int connection = 0; connection < 4; ++connection) arrivals_first.ended(kHour + round * kMillisecond);
  }
  EXPECT_EQ(in_order.judged().most_in_flight, 4u);
  EXPECT_EQ(arrivals_first.judged().most_in_flight, 4u);
  arrivals_first.arrived(kHour + kMillisecond - 1);
  EXPECT_EQ(arrivals_first.judged().most_in_flight, 5u);
}

TEST(Account, GoesOnAfterItWasJudged) {
  Account account;
  account.arrived(kHour);
  EXPECT_EQ(account.judged().most_in_flight, 1u);
  for (int i = 1; i < 100; ++i) {
    account.ended(kHour + i * kSecond - 1);
    account.arrived(kHour + i * kSecond);
  }
  EXPECT_EQ(account.judged().most_in_flight, 1u);
  EXPECT_EQ(account.judged().requests, 100u);
  account.arrived(kHour + 99 * kSecond);
  EXPECT_EQ(account.judged().most_in_flight, 2u);
}

TEST(Account, CountsWhatABucketOfOneSecondsWorthDoesNotHold) {
  Account account(20);
  for (int i = 0; i < 20; ++i) account.arrived(kHour);
  EXPECT_EQ(account.judged().most_ahead, 0);
  account.arrived(kHour);
  EXPECT_EQ(account.judged().most_ahead, 50 * kMillisecond);
  EXPECT_EQ(account.judged().above_rate, 0u) << "they may have been sent apart";
  for (int i = 0; i < 3; ++i) account.arrived(kHour);
  EXPECT_EQ(account.judged().above_rate, 2u);
}

TEST(Account, CountsLoginsInAHurry) {
  Account account;
  for (const Nanos at : {91 * kSecond, 0 * kSecond, 61 * kSecond - 20 * kMillisecond, 31 * kSecond})
    account.logged_in(kHour + at);
  EXPECT_EQ(account.judged().hasty_logins, 1u);
  EXPECT_EQ(account.judged().logins, 4u);
}

}  // namespace
}  // namespace fleet
