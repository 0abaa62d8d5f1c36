#include "core/polling/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using EndedBy = Arrivals::EndedBy;

constexpr double kAnHour = 3'600;

// A session whose next entries come after these gaps.
SessionArrivals after(Arrivals& arrivals, std::initializer_list<double> gaps) {
  SessionArrivals session;
  double silence = 0;
  for (const double gap : gaps) {
    const bool goes_on = Arrivals::is_together(gap, silence);
    arrivals.learn(session, 0, gap, goes_on ? EndedBy::kSameBurst : EndedBy::kBurst);
    if (!goes_on) silence = gap;
  }
  return session;
}

double until(const Arrivals& arrivals, SessionArrivals session, double silent, double price, double most,
             double old = HUGE_VAL) {
  return arrivals.until(session, silent, price, most, old).wait;
}

TEST(Arrivals, WaitsForTheDelayOfAUsualRateWhereNothingIsKnown) {
  const Arrivals arrivals;
  // An entry each 30 s: a delay of 30 gathers in r t^2 / 2.
  EXPECT_NEAR(until(arrivals, {}, 0, 15, kAnHour), 30, 1);
  EXPECT_NEAR(until(arrivals, {}, 0, 60, kAnHour), 60, 2);
  EXPECT_DOUBLE_EQ(until(arrivals, {}, 0, 60, 10), 10);
}

TEST(Arrivals, FindsTheStepThatRepeats) {
  Arrivals arrivals;
  for (int i = 0; i < 50; ++i) after(arrivals, {10, 10, 10, 10});
  const SessionArrivals session = after(arrivals, {25, 25, 25});
  EXPECT_NEAR(until(arrivals, session, 0, 2, kAnHour), 25, 0.5);
  EXPECT_NEAR(until(arrivals, session, 20, 2, kAnHour), 5, 0.5) << "a part of it has passed";
}

// Waiting behind it costs age and saves nothing: to read after n of them costs each (price + 7 + 14 + ...) / n.
TEST(Arrivals, ReadsRightBehindTheEntryBehindWhichEachCostsLeast) {
  Arrivals arrivals;
  for (int i = 0; i < 100; ++i) after(arrivals, {7, 7, 7, 7, 7});
  const SessionArrivals session = after(arrivals, {7, 7, 7});
  EXPECT_NEAR(until(arrivals, session, 0, 5, kAnHour), 7, 0.3);
  EXPECT_NEAR(until(arrivals, session, 0, 14, kAnHour), 14, 0.3);
  EXPECT_NEAR(until(arrivals, session, 0, 30, kAnHour), 21, 0.4);
  EXPECT_NEAR(until(arrivals, session, 6, 14, kAnHour), 8, 0.3);
  EXPECT_NEAR(until(arrivals, session, 0, 14, 13), 7, 0.3) << "the bound is before the second";
  EXPECT_NEAR(until(arrivals, session, 0, 1'000, kAnHour), std::sqrt(2 * 7 * 1'000), 30) << "of many it is the rate";
}

TEST(Arrivals, TellsWhatChoseTheRead) {
  Arrivals arrivals;
  for (int i = 0; i < 100; ++i) after(arrivals, {7, 7, 7, 7, 7});
  const SessionArrivals session = after(arrivals, {7, 7, 7});
  const auto chooser = [&](double price, double most) { return arrivals.until(session, 0, price, most).chosen_by; };
  EXPECT_EQ(chooser(14, kAnHour), ReadChosenBy::kMoment);
  EXPECT_EQ(chooser(1'000, kAnHour), ReadChosenBy::kPrice);
  EXPECT_EQ(chooser(14, 5), ReadChosenBy::kBound);
  // To read behind the third costs each (1000 + 21) / 3, at the bound (1000 + 47) / 4.
  EXPECT_EQ(chooser(1'000, 30), ReadChosenBy::kBound) << "though there are moments before it";
  EXPECT_DOUBLE_EQ(until(arrivals, session, 0, 1'000, 30), 30);
}

// Each second, which is where a bin begins: in it there was no silence to tell a rate by.
TEST(Arrivals, GapsAtABinsBeginAreNoFloodOfEntries) {
  Arrivals arrivals;
  for (int i = 0; i < 100; ++i) after(arrivals, {1, 1, 1, 1, 1});
  const SessionArrivals session = after(arrivals, {1, 1, 1});
  EXPECT_NEAR(until(arrivals, session, 0, 50, kAnHour), 10, 2);
}

TEST(Arrivals, ReadsSoonWithinABurstAndSeldomBetween) {
  Arrivals arrivals;
  for (int i = 0; i < 50; ++i) after(arrivals, {0.3, 0.3, 0.3, 120, 0.3, 0.3, 0.3, 90});
  const SessionArrivals session = after(arrivals, {0.3, 0.3});
  EXPECT_LT(until(arrivals, session, 0.2, 2, kAnHour), 5);
  EXPECT_GT(until(arrivals, session, 5, 2, kAnHour), 10);
}

// The same silences, but of one they end with sixteen entries: it is read after one over the square root of 16 as long.
TEST(Arrivals, ReadsSoonerWhereMoreComeWithTheFirst) {
  std::mt19937_64 random(test::random_seed());
  std::exponential_distribution<double> gap(1.0 / 100);
  Arrivals arrivals;
  std::uniform_real_distribution<double> dither;
  SessionArrivals single, many;
  for (int i = 0; i < 800; ++i) {
    const double silence = gap(random);
    arrivals.came_together(single, silence, 1, dither(random));
    arrivals.came_together(many, silence, 16, dither(random));
    for (SessionArrivals* session : {&single, &many}) arrivals.learn(*session, 0, silence, EndedBy::kBurst);
  }
  const auto longer = [&](double silent) {
    return until(arrivals, single, silent, 1, kAnHour) / until(arrivals, many, silent, 1, kAnHour);
  };
  EXPECT_NEAR(longer(200), 4, 0.8);
}

// Each 2 s in the mean an entry of the burst comes: the price of 1 is reached after sqrt(2 * 1 / 0.5). If as many came
// with it as with the first, a quarter of that would do.
TEST(Arrivals, WithinABurstNoMoreComeWithTheNextEntry) {
  std::mt19937_64 random(test::random_seed());
  std::exponential_distribution<double> within(0.5);
  Arrivals arrivals;
  SessionArrivals session;
  for (int i = 0; i < 200; ++i) {
    arrivals.came_together(session, 300, 16, 0.5);
    arrivals.learn(session, 0, 300, EndedBy::kBurst);
    for (int next = 1; next < 16; ++next) arrivals.learn(session, 0, within(random), EndedBy::kSameBurst);
  }
  EXPECT_NEAR(until(arrivals, session, 0, 1, kAnHour), 2, 0.5);
}

// A session's own past counts as far as in its type such pasts have told the future.
TEST(Arrivals, WhereHowManyComeVariesByChanceEachSessionIsAsItsType) {
  std::mt19937_64 random(test::random_seed());
  std::uniform_real_distribution<double> dither;
  const auto sooner_where_many_came = [&](bool each_is_its_own) {
    Arrivals arrivals;
    double sum = 0;
    int sessions = 0;
    for (int i = 0; i < 2'000; ++i) {
      SessionArrivals session;
      bool many = false;
      for (int burst = 0; burst < 4; ++burst) {
        if (burst == 0 || !each_is_its_own) many = random() % 8 == 0;
        arrivals.came_together(session, 100, many ? 17 : 1, dither(random));
      }
      if (i < 1'000 || !many) continue;
      sum += until(arrivals, {}, 100, 1, kAnHour) / until(arrivals, session, 100, 1, kAnHour);
      ++sessions;
    }
    return sum / sessions;
  };
  EXPECT_NEAR(sooner_where_many_came(false), 1, 0.15);
  EXPECT_GT(sooner_where_many_came(true), 1.7);
}

TEST(Arrivals, HowManyComeIsToldByTheSilenceUntilASessionHasShownIt) {
  Arrivals arrivals, all_single;
  const auto feed = [](Arrivals& type, double silence, double count) {
    SessionArrivals session;
    type.came_together(session, silence, count, 0.5);
    type.learn(session, 0, silence, EndedBy::kBurst);
  };
  for (int i = 0; i < 400; ++i) {
    for (Arrivals* type : {&arrivals, &all_single}) feed(*type, 20, 1);
    if (i % 8 != 0) continue;
    feed(arrivals, 300, 25);
    feed(all_single, 300, 1);
  }
  const auto sooner = [&](double silent) {
    return until(all_single, {}, silent, 1e-3, kAnHour) / until(arrivals, {}, silent, 1e-3, kAnHour);
  };
  EXPECT_NEAR(sooner(18), 1, 0.3);
  EXPECT_NEAR(sooner(290), 5, 1);
}

TEST(Arrivals, ANewSessionBringsAsManyTogetherAsItsType) {
  Arrivals arrivals, of_single;
  for (int i = 0; i < 100; ++i) {
    SessionArrivals session;
    arrivals.came_together(session, 30, 24, 0.5);
    of_single.came_together(session, 30, 1, 0.5);
  }
  EXPECT_NEAR(until(of_single, {}, 30, 15, kAnHour) / until(arrivals, {}, 30, 15, kAnHour), std::sqrt(24), 0.2);
}

TEST(Arrivals, OneHugeBatchLeavesNoOthersForLong) {
  Arrivals arrivals;
  SessionArrivals session, of_same_instant;
  const double before = until(arrivals, {}, 30, 15, kAnHour);
  arrivals.came_together(session, 30, 1e6, 0.5);
  EXPECT_GT(until(arrivals, {}, 30, 15, kAnHour), before / 4);
  // Behind no silence there is nothing to learn: it goes on as its type does.
  arrivals.came_together(of_same_instant, 0, 1e6, 0.5);
  for (int i = 0; i < 500; ++i) {
    SessionArrivals other;
    arrivals.came_together(other, 30, 1, 0.5);
  }
  EXPECT_NEAR(until(arrivals, of_same_instant, 30, 15, kAnHour), before, 0.1);
}

TEST(Arrivals, TheRestOfABurstSaysNothingOfHowManyComeTogether) {
  Arrivals arrivals;
  SessionArrivals session;
  for (int i = 0; i < 60; ++i) {
    arrivals.came_together(session, 100, 16, 0.5);
    arrivals.learn(session, 0, 100, EndedBy::kBurst);
  }
  const double before = until(arrivals, session, 100, 15, kAnHour);
  for (int i = 0; i < 10; ++i) arrivals.came_together(session, 0.3, 1, 0.5);
  EXPECT_DOUBLE_EQ(until(arrivals, session, 100, 15, kAnHour), before);
}

TEST(Arrivals, TellsFastSessionsFromSlowOnes) {
  std::mt19937_64 random(test::random_seed());
  Arrivals arrivals;
  const auto session_of = [&](double mean) {
    std::exponential_distribution<double> gap(1 / mean);
    SessionArrivals session;
    for (int i = 0; i < 12; ++i) arrivals.learn(session, 0, gap(random), EndedBy::kBurst);
    return session;
  };
  for (int i = 0; i < 60; ++i) session_of(i % 2 == 0 ? 5 : 80);
  double of_fast = 0, of_slow = 0;
  for (int i = 0; i < 40; ++i) {
    of_fast += until(arrivals, session_of(5), 0, 3, kAnHour);
    of_slow += until(arrivals, session_of(80), 0, 3, kAnHour);
  }
  // One over the square root of the rate: four times as long; what is known of it is less than that.
  EXPECT_GT(of_slow, 2 * of_fast);
}

// Entries without memory are read at equal waits: each other one costs. Of few of them any bins show something.
TEST(Arrivals, MakesNothingOfFewEntriesWithoutMemory) {
  std::mt19937_64 random(test::random_seed());
  std::exponential_distribution<double> gap(1.0 / 1'200);
  double sum = 0, squares = 0;
  int waits = 0;
  for (int type = 0; type < 200; ++type) {
    Arrivals arrivals;
    const auto session = [&] { return after(arrivals, {gap(random), gap(random)}); };
    for (int i = 0; i < 40; ++i) session();
    for (int i = 0; i < 40; ++i, ++waits) {
      const SessionArrivals each = session();
      const double wait = until(arrivals, each, gap(random), 0.04, kAnHour);
      sum += wait;
      squares += wait * wait;
    }
  }
  const double mean = sum / waits, more_than_equal_waits = squares / waits / (mean * mean) - 1;
  EXPECT_NEAR(mean, 10, 2);
  EXPECT_LT(more_than_equal_waits, 0.03);
}

// A session that had no gap yet is not taken for one whose gaps repeat, as those of entries at once do.
TEST(Arrivals, MakesNothingOfASessionsFirstSilence) {
  std::mt19937_64 random(test::random_seed());
  std::exponential_distribution<double> gap(1.0 / 1'500);
  Arrivals arrivals;
  for (int i = 0; i < 400; ++i) after(arrivals, {gap(random), 0, 0, 0, 0, gap(random), 0, 0, 0, 0});
  double shortest = kAnHour, longest = 0;
  for (double silent = 100; silent < 1'000; silent += 20) {
    const double wait = until(arrivals, {}, silent, 0.04, kAnHour);
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }
  EXPECT_LT(longest, 2 * shortest);
}

TEST(Arrivals, FindsThePriceWhereEntriesAreRareAndOldAgesCost) {
  Arrivals arrivals;
  SessionArrivals session;
  arrivals.learn(session, 0, 600'000, EndedBy::kNothing);
  // An entry each 300,000 s, mostly: r t^3 / (6 old).
  const double wait = until(arrivals, session, 7'200, 2, 24 * kAnHour, 5);
  EXPECT_NEAR(std::pow(wait, 3) / 300'000 / (6 * 5), 2, 0.4);
}

TEST(Arrivals, AHigherPriceIsALongerWait) {
  Arrivals arrivals;
  const SessionArrivals session = after(arrivals, {3, 40, 1, 7, 300, 2});
  double before = 0;
  for (const double price : {0.01, 0.1, 1.0, 10.0, 100.0}) {
    const double wait = until(arrivals, session, 1, price, kAnHour);
    EXPECT_GT(wait, before) << price;
    before = wait;
  }
}

TEST(Arrivals, WaitsShorterWhereOldAgesCostMore) {
  const Arrivals arrivals;
  // An entry each 30 s: r t^2 / 2 (1 + t / (3 old)).
  EXPECT_NEAR(until(arrivals, {}, 0, 15 * 1.5, kAnHour, 20), 30, 1);
  EXPECT_NEAR(until(arrivals, {}, 0, 60 * 2, kAnHour, 20), 60, 2);
  double before = 0;
  for (const double old : {0.1, 1.0, 10.0, 1e3, 1e9}) {
    const double wait = until(arrivals, {}, 0, 15, kAnHour, old);
    EXPECT_GT(wait, before) << old;
    before = wait;
  }
  EXPECT_NEAR(before, until(arrivals, {}, 0, 15, kAnHour), 1e-3);
}

TEST(Arrivals, ForgetsWhatWas) {
  Arrivals arrivals;
  const auto feed = [&](double gap) {
    for (int i = 0; i < 5'000; ++i) after(arrivals, {gap});
  };
  feed(1);
  const double fast = until(arrivals, {}, 0, 2, kAnHour);
  feed(100);
  EXPECT_GT(until(arrivals, {}, 0, 2, kAnHour), 5 * fast);
}

TEST(Arrivals, StrangeGapsKeepItsWaitsWithinBounds) {
  Arrivals arrivals;
  SessionArrivals session;
  for (const double gap : {0.0, 1e9, 0.0, 1e-9, 3'600.0, 1e9, 0.0}) {
    arrivals.learn(session, 0, gap, EndedBy::kBurst);
    arrivals.learn(session, 0, 1e9, EndedBy::kNothing);
    arrivals.came_together(session, gap, 1e9, 1);
    for (const double silent : {0.0, 1.0, 1e9}) {
      const double wait = until(arrivals, session, silent, 1, 60);
      EXPECT_GE(wait, 0);
      EXPECT_LE(wait, 60);
    }
  }
}

}  // namespace
}  // namespace sessionlogd
