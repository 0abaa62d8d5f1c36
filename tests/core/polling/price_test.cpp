#include "core/polling/price.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <vector>

namespace sessionlogd {
namespace {

constexpr double kAim = 5;

// Each of so many reads brings an entry of that age, all at one moment.
void read_at_once(Price& price, double now, int reads, double age, ReadChosenBy chooser) {
  for (int i = 0; i < reads; ++i) {
    price.saw(age, chooser);
    price.was_read(now);
  }
}

double moved(const Price& price) { return std::log(price.value() / Price(kAim).value()); }

TEST(Price, FallsWhereEntriesAreOlderThanTheAimAndRisesWhereTheyAreYounger) {
  Price older(kAim), younger(kAim);
  for (int i = 1; i <= 100; ++i) {
    read_at_once(older, i * kAim, 1, 2 * kAim, ReadChosenBy::kPrice);
    read_at_once(younger, i * kAim, 1, 0, ReadChosenBy::kPrice);
  }
  EXPECT_NEAR(moved(older), -1, 0.1);
  EXPECT_NEAR(moved(younger), 1, 0.1);
}

// A thousand sessions that hang for days, all of whose silence the next entry ends.
TEST(Price, ALongSilenceMakesNoReadCheap) {
  Price price(kAim);
  for (int i = 0; i < 1'000; ++i) price.passed(10, true);
  const double before = price.value();
  price.passed(1e9, false);
  EXPECT_EQ(price.value(), before) << "nothing has come";
  price.passed(0, true);
  EXPECT_GT(price.value(), 0.4 * before);
  for (int i = 0; i < 1'000; ++i) price.passed(1'000, true);
  EXPECT_LT(price.value(), before / 40) << "entries that are rare from now on are another rate";
}

// A source whose sessions are read in step, or a hundred times a second.
TEST(Price, WhatManyReadsAskForAtOnceIsDoneByLaterOnes) {
  Price price(kAim);
  read_at_once(price, 1'000, 1, kAim, ReadChosenBy::kPrice);
  read_at_once(price, 1'000, 100, 2 * kAim, ReadChosenBy::kPrice);
  EXPECT_NEAR(moved(price), 0, 0.1) << "no read has shown yet what comes of it";
  read_at_once(price, 1'000 + 4 * kAim, 1, kAim, ReadChosenBy::kPrice);
  EXPECT_NEAR(moved(price), -1, 0.1);
}

TEST(Price, IsNotForWhatItDidNotChoose) {
  Price price(kAim);
  for (int i = 1; i <= 1'000; ++i) {
    read_at_once(price, i * kAim, 1, 0, ReadChosenBy::kBound);
    read_at_once(price, i * kAim, 1, 10 * kAim, ReadChosenBy::kMoment);
  }
  EXPECT_EQ(moved(price), 0) << "where the bound is earlier than the price a higher one changes nothing";
  for (int i = 1'001; i <= 1'100; ++i) read_at_once(price, i * kAim, 1, 2 * kAim, ReadChosenBy::kBound);
  EXPECT_NEAR(moved(price), -1, 0.1) << "a lower one may";
}

// By reads that are a minute apart.
class PriceOfReads : public testing::Test {
 protected:
  void read(std::initializer_list<double> ages) {
    for (const double age : ages) price_.saw(age, ReadChosenBy::kPrice);
    price_.was_read(now_ += 60);
  }

  Price price_{5};
  double now_ = 0;
};

TEST_F(PriceOfReads, IsMovedUntilTheMeanAgeIsTheAim) {
  const double first = price_.value();
  for (int i = 0; i < 100; ++i) read({5});
  EXPECT_NEAR(price_.value(), first, 1e-9);
  for (int i = 0; i < 50; ++i) read({2, 6});  // four in the mean
  EXPECT_GT(price_.value(), first);
  for (int i = 0; i < 200; ++i) read({10});
  EXPECT_LT(price_.value(), first);
}

// They are all as old as that read was late: by one chance.
TEST_F(PriceOfReads, EntriesThatOneReadBringsAreNoManyReads) {
  for (int i = 0; i < 100; ++i) read({5});
  for (int i = 0; i < 200; ++i) price_.saw(10, ReadChosenBy::kPrice);
  const double before = price_.value();
  for (int i = 0; i < 3; ++i) read({5});
  EXPECT_GT(price_.value(), before * std::exp(-0.2));
  EXPECT_LT(price_.value(), before);
}

// Where each brings two hundred they count as reads that bring one.
TEST_F(PriceOfReads, CountAlikeHoweverManyEachBrings) {
  for (int i = 0; i < 100; ++i) {
    for (int entry = 0; entry < 199; ++entry) price_.saw(5, ReadChosenBy::kPrice);
    read({5});
  }
  const double before = price_.value();
  for (int i = 0; i < 50; ++i) {
    for (int entry = 0; entry < 199; ++entry) price_.saw(10, ReadChosenBy::kPrice);
    read({10});
  }
  EXPECT_NEAR(std::log(price_.value() / before), -0.5, 0.05);
}

// Of fifty sessions whose entries come each second: what a price brings shows two aims later. One that is moved by each
// entry has then gone far beyond what was asked for.
TEST(Price, DoesNotSwingWhereManyEntriesAreRead) {
  Price price(5);
  std::vector<double> prices{price.value()};
  double least = HUGE_VAL, most = 0;
  for (double now = 0; now < 3'600; now += 0.2) {
    const std::size_t delay = 50;  // reads
    const double wait = std::sqrt(2 * prices[prices.size() - std::min(delay, prices.size())]);
    for (double age = 0.5; age < wait; ++age) {
      price.passed(1, true);
      price.saw(age, ReadChosenBy::kPrice);
    }
    price.was_read(now);
    prices.push_back(price.value());
    if (now < 1'800) continue;
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  EXPECT_LT(most, 1.2 * least);
  EXPECT_NEAR(most, 10, 2);
}

// Without memory at a rate r, each 2 aim seconds: 2 r aim^2.
TEST(Price, IsThatOfTheRateBeforeAnyAgeIsKnown) {
  const struct {
    double gap, sessions_seconds;
  } rows[] = {{1, 2'000}, {30, 20'000}, {1'200, 240'000}, {3'600, 720'000}};
  for (const auto& row : rows) {
    Price price(5);
    for (double at = 0; at < row.sessions_seconds; at += row.gap) price.passed(row.gap, true);
    EXPECT_NEAR(price.value() / (2 * 25 / row.gap), 1, 0.1) << row.gap;
  }
}

TEST(Price, IsTheSameByDayAndByNight) {
  Price price(5);
  const auto pass = [&](double gap) {
    for (double at = 0; at < 40'000; at += gap) price.passed(gap, true);
    return price.value();
  };
  for (int i = 0; i < 10; ++i) pass(i % 2 == 0 ? 4 : 150);
  const double after_a_day = pass(4), after_a_night = pass(150);
  EXPECT_NEAR(after_a_day / after_a_night, 1, 0.2);
}

TEST(Price, ForgetsARateOfLongAgo) {
  Price price(5);
  for (int i = 0; i < 50'000; ++i) price.passed(4, true);
  for (int i = 0; i < 500'000; ++i) price.passed(1, true);
  EXPECT_NEAR(price.value() / (2 * 25), 1, 0.05);
}

TEST(Price, StaysWhereNothingComesAtAll) {
  Price price(5);
  const double first = price.value();
  for (int i = 0; i < 1'000; ++i) price.passed(60, false);
  EXPECT_EQ(price.value(), first);
  price.passed(60, true);
  EXPECT_LT(price.value(), first / 100);
}

TEST(Price, OfEntriesAtOnceStaysFinite) {
  Price price(5);
  for (int i = 0; i < 1'000'000; ++i) price.passed(0, true);
  EXPECT_NEAR(price.value(), 2 * 25 * 20, 1);
}

TEST(Price, RisesWhileRequestsWaitForTheirTurn) {
  Price price(5);
  const double first = price.value();
  for (int i = 0; i < 100; ++i) price.was_late();
  EXPECT_GT(price.value(), 2 * first);
}

TEST_F(PriceOfReads, ComesBackFromWhateverItSaw) {
  for (int i = 0; i < 100'000; ++i) read({0});
  for (int i = 0; i < 1'000; ++i) read({3'600});
  EXPECT_LT(price_.value(), 1);
}

}  // namespace
}  // namespace sessionlogd
