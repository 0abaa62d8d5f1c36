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
  Account account({.rate = 20});
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

TEST(Account, TellsOfEachRequestThatWasNotRight) {
  Account account({.rate = 4, .connections = 1});
  account.asked_to_wait(kHour, kHour + 2 * kSecond, "429 for A");
  account.arrived(kHour + kSecond, "B");
  account.arrived(kHour + 5 * kSecond, "C");
  account.ended(kHour + 6 * kSecond);
  account.ended(kHour + 6 * kSecond);
  for (int i = 0; i < 5; ++i) account.arrived(kHour + 7 * kSecond, i < 4 ? "" : "D");
  account.logged_in(kHour + 8 * kSecond, "E");
  account.logged_in(kHour + 9 * kSecond, "F");
  const std::vector<std::string> told = account.judged().told;
  ASSERT_EQ(told.size(), 8u);
  EXPECT_EQ(told[0],
            "1970-01-01T01:00:01.000000Z B came 1000 ms after a wish to wait, 1000 ms before its end: 429 for A, "
            "sent by 1970-01-01T01:00:00.000000Z");
  EXPECT_EQ(told[1], "1970-01-01T01:00:05.000000Z C came while 1 others were in flight");
  EXPECT_EQ(told[5], "1970-01-01T01:00:07.000000Z D came while 4 others were in flight");
  EXPECT_EQ(told[6], "1970-01-01T01:00:07.000000Z D came 250 ms before the rate allowed it");
  EXPECT_EQ(told[7], "1970-01-01T01:00:09.000000Z F came as a login 1000 ms after another");
  for (int i = 0; i < 50; ++i) account.arrived(kHour + 10 * kSecond);
  EXPECT_EQ(account.judged().told.size(), Account::kMostTold);
}

}  // namespace
}  // namespace fleet
