#include "core/polling/learned_pace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <vector>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr SteadyTime kBegin{1'000h};
const std::vector<milliseconds> kNone;

// How old an entry names itself that is so old, and came so long after its session's begin.
using Said = milliseconds (*)(milliseconds age, milliseconds came);

milliseconds as_it_is(milliseconds age, milliseconds) { return age; }

struct Reads {
  double mean_age;  // of the entries, seconds
  double per_entry;
};

// Reads one session after the other, whenever its pace says.
struct Reader {
  explicit Reader(const PollSettings& settings) : pace(settings, kBegin) {}

  // Its entries come so long after its begin.
  Reads read(const std::vector<milliseconds>& entries, std::string_view type = "A", Said said = as_it_is) {
    SessionPace session;
    const SteadyTime begin = now;
    double ages = 0, reads = 0;
    for (std::size_t read = 0; read < entries.size(); ++reads) {
      std::vector<milliseconds> came;
      for (; read < entries.size() && begin + entries[read] <= now; ++read) {
        const auto age = std::chrono::duration_cast<milliseconds>(now - (begin + entries[read]));
        came.push_back(said(age, entries[read]));
        ages += std::chrono::duration<double>(age).count();
      }
      pace.came(session, type, now, came);
      now += pace.after_read(session, type, now, 60s);
    }
    const double count = static_cast<double>(entries.size());
    return {ages / count, reads / count};
  }
  // They come each `gap`.
  Reads read_even(milliseconds gap, int count, std::string_view type = "A", Said said = as_it_is) {
    std::vector<milliseconds> entries;
    for (int i = 0; i < count; ++i) entries.push_back(i * gap);
    return read(entries, type, said);
  }

  LearnedPace pace;
  SteadyTime now = kBegin;
};

TEST(LearnedPace, IsWithinItsBounds) {
  PollSettings settings;
  settings.interval = 200ms;
  settings.max_interval = 2s;
  LearnedPace pace(settings, kBegin);
  SessionPace session;
  SteadyTime now = kBegin;
  for (int i = 0; i < 200; ++i) {
    if (i % 3 == 0) pace.came(session, "A", now, std::vector<milliseconds>(i % 5, 100ms));
    const milliseconds wait = pace.after_read(session, "A", now, 2s);
    EXPECT_GE(wait, 200ms);
    EXPECT_LE(wait, 2s);
    EXPECT_GE(pace.usual(), 200ms);
    EXPECT_LE(pace.usual(), 2s);
    now += wait;
  }
}

TEST(LearnedPace, OfOneIntervalIsThatInterval) {
  PollSettings settings;
  settings.interval = settings.max_interval = 12s;
  LearnedPace pace(settings, kBegin);
  SessionPace session;
  for (int i = 0; i < 50; ++i) {
    pace.came(session, "A", kBegin + i * 12s, std::vector<milliseconds>(i % 2, 1s));
    EXPECT_EQ(pace.after_read(session, "A", kBegin + i * 12s, 12s), 12s);
    EXPECT_EQ(pace.after_listing(Instant{i * 12, 0}), settings.discovery_interval);
  }
  EXPECT_EQ(pace.usual(), 12s);
}

TEST(LearnedPace, ReachesTheMeanAgeThatIsAskedFor) {
  for (const auto freshness : {3s, 8s}) {
    PollSettings settings;
    settings.interval = 1s;
    settings.freshness = freshness;
    Reader reader(settings);
    const double aim = std::chrono::duration<double>(freshness).count();
    std::mt19937_64 random(test::random_seed());
    std::exponential_distribution<double> gap(1.0 / 30'000);
    double age = 0;
    for (int i = 0; i < 80; ++i) {
      std::vector<milliseconds> entries{0ms};
      while (entries.size() < 40) entries.push_back(entries.back() + milliseconds(std::lround(gap(random))));
      const double of_one = reader.read(entries).mean_age;
      if (i >= 40) age += of_one / 40;
    }
    EXPECT_NEAR(age, aim, aim / 5);
  }
}

// Later they would cost as many reads.
TEST(LearnedPace, ReadsEntriesThatKeepTimeWhenTheyComeThoughOlderOnesWereAskedFor) {
  PollSettings settings;
  settings.interval = 1s;
  settings.freshness = 8s;
  Reader reader(settings);
  for (int i = 0; i < 20; ++i) reader.read_even(31s, 40);
  const Reads reads = reader.read_even(31s, 40);
  EXPECT_LT(reads.mean_age, 2);
  EXPECT_LT(reads.per_entry, 1.2);
}

// Who asks for entries of half of the longest wait asks for reads at that wait.
TEST(LearnedPace, ReadsNoMoreThanIsAskedForThoughEntriesNearlyKeepTime) {
  PollSettings settings;
  settings.interval = 1s;
  settings.max_interval = 60s;
  settings.freshness = 30s;
  Reader reader(settings);
  std::mt19937_64 random(test::random_seed());
  std::normal_distribution<double> gap(6'000, 1'200);
  Reads reads{0, 0};
  for (int i = 0; i < 40; ++i) {
    std::vector<milliseconds> entries{0ms};
    while (entries.size() < 200)
      entries.push_back(entries.back() + milliseconds(std::lround(std::max(1.0, gap(random)))));
    reads = reader.read(entries);
  }
  EXPECT_LT(reads.per_entry, 0.2);
  EXPECT_LT(reads.mean_age, 36);
}

// Of what has no memory, and the same rate in all sessions, a fixed interval is the best there is. Ours against that of
// as many reads: the mean of the waits' squares to the square of their mean, from the first read on.
double ratio_to_the_best_fixed(double mean_gap, unsigned seed) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap(1 / mean_gap);
  struct Session {
    SessionPace pace;
    double next;
  };
  std::vector<Session> sessions(10);
  using Read = std::pair<double, std::size_t>;
  std::priority_queue<Read, std::vector<Read>, std::greater<>> reads;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    sessions[i].next = 90.0 * static_cast<double>(i) + gap(random);
    reads.emplace(90.0 * static_cast<double>(i), i);
  }
  double count = 0, waits = 0, squares = 0;
  while (reads.top().first < 6 * 3'600) {
    const auto [at, i] = reads.top();
    reads.pop();
    std::vector<milliseconds> came;
    for (; sessions[i].next <= at; sessions[i].next += gap(random))
      came.emplace_back(static_cast<std::int64_t>(1e3 * (at - sessions[i].next)));
    const SteadyTime now = kBegin + milliseconds{static_cast<std::int64_t>(at * 1e3)};
    if (!came.empty()) pace.came(sessions[i].pace, "A", now, came);
    const double wait = std::chrono::duration<double>(pace.after_read(sessions[i].pace, "A", now, 60s)).count();
    ++count;
    waits += wait;
    squares += wait * wait;
    reads.emplace(at + wait, i);
  }
  return squares * count / (waits * waits);
}

// The fewer entries there are, the more the time counts that it takes to see their rate.
TEST(LearnedPace, OfWhatHasNoMemoryIsNearTheBestFixedInterval) {
  const struct { double gap, most; } rows[] = {{30, 1.02}, {300, 1.04}, {1'200, 1.08}, {3'600, 1.15}};
  for (const auto& row : rows) {
    double ratio = 0;
    for (unsigned seed = 0; seed < 4; ++seed) ratio += ratio_to_the_best_fixed(row.gap, seed) / 4;
    EXPECT_LT(ratio, row.most) << row.gap;
  }
}

// Sessions of one type that are silent for as long; of every other one a silence ends with a hundred entries.
TEST(LearnedPace, ReadsSoonerWhereManyComeTogether) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  std::mt19937_64 random(test::random_seed());
  std::exponential_distribution<double> gap(1.0 / 120'000);
  const auto reads_of_an_hour = [&](SteadyTime now, std::size_t together) {
    SessionPace session;
    const SteadyTime end = now + 1h;
    SteadyTime next = now;
    int reads = 0;
    for (; now < end; ++reads) {
      std::vector<milliseconds> came;
      for (; next <= now; next += milliseconds(std::lround(gap(random))))
        came.insert(came.end(), together, std::chrono::duration_cast<milliseconds>(now - next));
      if (!came.empty()) pace.came(session, "A", now, came);
      now += pace.after_read(session, "A", now, 60s);
    }
    return reads;
  };
  int of_single = 0, of_many = 0;
  for (int i = 0; i < 20; ++i) {
    of_single += reads_of_an_hour(kBegin + (2 * i) * 2h, 1);
    of_many += reads_of_an_hour(kBegin + (2 * i + 1) * 2h, 100);
  }
  EXPECT_GT(of_many, 1.5 * of_single);
}

TEST(LearnedPace, NeitherRushesNorStarvesWhateverTimesTheEntriesName) {
  const struct {
    const char* name;
    Said said;
  } rows[] = {
      {"a zone ahead", [](milliseconds age, milliseconds) { return age - 2h; }},
      {"a zone behind", [](milliseconds age, milliseconds) { return age + 2h; }},
      {"when it began that took a minute", [](milliseconds age, milliseconds) { return age + 60s; }},
      {"the session's begin", [](milliseconds age, milliseconds came) { return age + came; }},
      {"its day's begin", [](milliseconds age, milliseconds came) { return age + came + 5h; }},
  };
  for (const auto& row : rows) {
    PollSettings settings;
    settings.interval = 1s;
    settings.freshness = 5s;
    Reader reader(settings);
    for (int i = 0; i < 20; ++i) reader.read_even(23s, 40, "A", row.said);
    double age = 0;
    for (int i = 0; i < 20; ++i) age += reader.read_even(23s, 40, "A", row.said).mean_age / 20;
    // Where in a wait they come is not to be known: what comes at equal gaps is met sooner than by chance.
    EXPECT_GT(age, 2.5) << row.name;
    EXPECT_LT(age, 6) << row.name;
    EXPECT_EQ(reader.pace.shortfall(), "") << row.name;
  }
}

TEST(LearnedPace, OfASessionThatIsSilentForAYearStaysAtItsBound) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  SessionPace session;
  pace.came(session, "A", kBegin, std::vector<milliseconds>{0ms});
  for (int day = 1; day < 400; ++day) EXPECT_EQ(pace.after_read(session, "A", kBegin + day * 24h, 1h), 1h) << day;
}

TEST(LearnedPace, WhatOneListingShowsAtOnceMakesNoRush) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  const auto first_wait = [&] {
    SessionPace session;
    pace.came(session, "A", kBegin, std::vector<milliseconds>{30s});
    return pace.after_read(session, "A", kBegin, 60s);
  };
  const milliseconds before = first_wait();
  milliseconds last{0};
  for (int i = 0; i < 1'000; ++i) last = first_wait();
  EXPECT_GT(last, before / 2);
}

TEST(LearnedPace, SaysWhyTheAimIsNotReached) {
  PollSettings settings;
  settings.freshness = 1s;
  LearnedPace pace(settings, kBegin);
  EXPECT_EQ(pace.mean_age(), std::nullopt);
  EXPECT_EQ(pace.shortfall(), "");
  SessionPace session;
  pace.after_read(session, "A", kBegin, 60s);
  for (int i = 0; i < 2'000; ++i) pace.came(session, "A", kBegin + i * 20s, std::vector<milliseconds>{14s});
  EXPECT_EQ(pace.shortfall(), "mean age 14.0 s, aim 1s: interval 5s allows no better");
  for (int i = 0; i < 200; ++i) pace.was_late(kBegin, kBegin + 3s);
  EXPECT_EQ(pace.shortfall(), "mean age 14.0 s, aim 1s: rate 20/s or its 4 connections are used up");
  for (int i = 0; i < 2'000; ++i) pace.came(session, "A", kBegin + i * 20s, std::vector<milliseconds>{1s});
  EXPECT_EQ(pace.shortfall(), "");
}

TEST(LearnedPace, SaysThatItLearnsWhereNoBoundIsInTheWay) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  SessionPace session;
  SteadyTime now = kBegin;
  for (int i = 0; i < 20; ++i) {
    pace.after_read(session, "A", now, 60s);
    now += 60s;
    pace.came(session, "A", now, std::vector<milliseconds>{30s});
  }
  EXPECT_THAT(pace.shortfall(), testing::EndsWith(" s, aim 5s: still learns when entries come"));
}

TEST(LearnedPace, BlamesNoPriceForWhatTheSinkHeldUp) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  SessionPace session;
  pace.after_read(session, "A", kBegin, 60s);
  pace.came(session, "A", kBegin + 10s, std::vector<milliseconds>{4s});
  pace.after_read(session, "A", kBegin + 10s, 60s);
  pace.held_up(kBegin + 60s);
  for (int i = 0; i < 200; ++i) pace.was_late(kBegin + 50s, kBegin + 61s);
  const auto before = pace.mean_age();
  pace.came(session, "A", kBegin + 61s, std::vector<milliseconds>{50s});
  EXPECT_EQ(pace.mean_age(), before);
  pace.after_read(session, "A", kBegin + 61s, 60s);
  pace.came(session, "A", kBegin + 70s, std::vector<milliseconds>{8s});
  EXPECT_GT(pace.mean_age(), before) << "it is over";
  SessionPace found;
  const auto of_one = pace.mean_age();
  pace.came(found, "A", kBegin + 90s, std::vector<milliseconds>{80s});
  EXPECT_EQ(pace.mean_age(), of_one) << "it began before that";
  SessionPace young;
  pace.came(young, "A", kBegin + 90s, std::vector<milliseconds>{20s});
  EXPECT_GT(pace.mean_age(), of_one) << "it began behind that";
  EXPECT_EQ(pace.shortfall(), "");
}

TEST(LearnedPace, LearnsEachTypeByItself) {
  PollSettings settings;
  Reader reader(settings);
  for (int i = 0; i < 20; ++i) {
    reader.read_even(10s, 30, "fast");
    reader.read_even(300s, 30, "slow");
  }
  LearnedPace& pace = reader.pace;
  SessionPace fast, slow;
  const std::vector<milliseconds> now_one{0ms};
  pace.came(fast, "fast", reader.now, now_one);
  pace.came(slow, "slow", reader.now, now_one);
  EXPECT_LT(pace.after_read(fast, "fast", reader.now, 60s), 45s);
  EXPECT_EQ(pace.after_read(slow, "slow", reader.now, 60s), 60s);
}

TEST(LearnedPace, OfASessionOnHoldGoesBeyondTheUsualBound) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  SessionPace session;
  milliseconds wait{0};
  SteadyTime now = kBegin;
  for (int i = 0; i < 200; ++i) now += wait = pace.after_read(session, "A", now, 1h);
  EXPECT_GT(wait, 10min);
}

TEST(LearnedPace, ListsSoonWhereSessionsBegin) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  std::int64_t now = 0;
  const auto list_until = [&](std::int64_t end) {
    while (now < end) {
      const Instant begins{now, 0};
      pace.listing_begins(begins);
      now += std::chrono::ceil<std::chrono::seconds>(pace.after_listing(begins)).count();
    }
  };
  for (int half_hour = 1; half_hour < 16; ++half_hour) {
    for (int i = 0; i < 20; ++i) pace.began(Instant{1'800 * half_hour + 3 * i, 0});
    list_until(1'800 * half_hour);
  }
  EXPECT_LT(pace.after_listing(Instant{1'800 * 16, 0}), 15s);
  EXPECT_EQ(pace.after_listing(Instant{1'800 * 16 + 900, 0}), settings.discovery_interval);
  EXPECT_EQ(pace.after_listing(std::nullopt), settings.discovery_interval);
}

// What is read of sessions that are known, and so the price, is nearly the same; all is as old as was asked for.
TEST(LearnedPace, ListsSoonerWhereNewSessionsBringMuch) {
  const auto wait_where_they_bring = [](std::size_t entries) {
    PollSettings settings;
    settings.discovery_interval = 1h;
    const std::vector<milliseconds> one{settings.aimed_age()};
    LearnedPace pace(settings, kBegin);
    SessionPace known;
    SteadyTime now = kBegin;
    for (int i = 0; i < 5'000; ++i, now += 30s) {
      pace.came(known, "A", now, one);
      pace.after_read(known, "A", now, 60s);
    }
    milliseconds wait{0};
    for (int minute = 1; minute < 60; ++minute) {
      pace.began(Instant{60 * minute - 30, 0});
      SessionPace session;
      pace.came(session, "A", now + minute * 1min, std::vector<milliseconds>(entries, settings.aimed_age()));
      pace.listing_begins(Instant{60 * minute, 0});
      wait = pace.after_listing(Instant{60 * minute, 0});
    }
    return wait;
  };
  EXPECT_GT(wait_where_they_bring(1), 1.5 * wait_where_they_bring(8));
}

TEST(LearnedPace, OfManyTypesKeepsSome) {
  PollSettings settings;
  LearnedPace pace(settings, kBegin);
  SessionPace session;
  for (int i = 0; i < 1'000; ++i) {
    const milliseconds wait = pace.after_read(session, "type " + std::to_string(i), kBegin, 60s);
    EXPECT_LE(wait, 60s);
  }
}

// Sessions begin each minute in the mean; how many listings an hour there are.
class Listings : public testing::Test {
 protected:
  // How a listing ends that has shown what there is.
  enum class End { kComplete, kIncomplete, kFailed };

  double an_hour(int hours, const std::function<End()>& ends) {
    int count = 0;
    for (const double end = now_ + hours * 3'600; now_ < end; ++count) {
      const Instant begins = at(now_);
      pace_.listing_begins(begins);
      for (; next_ <= now_; next_ += gap_(random_)) pace_.began(at(next_));
      const End how = ends();
      const milliseconds wait =
          how == End::kFailed ? 10s : pace_.after_listing(how == End::kComplete ? std::optional(begins) : std::nullopt);
      now_ += std::chrono::duration<double>(wait).count();
    }
    return count / static_cast<double>(hours);
  }
  double an_hour(int hours) {
    return an_hour(hours, [] { return End::kComplete; });
  }
  static Instant at(double seconds) { return {1'700'000'000 + static_cast<std::int64_t>(seconds), 0}; }

  std::mt19937_64 random_{test::random_seed()};
  std::exponential_distribution<double> gap_{1.0 / 60};
  PollSettings settings_;
  LearnedPace pace_{settings_, kBegin};
  double now_ = 0, next_ = 0;
};

// The sink was down, or nothing was there to be listed.
TEST_F(Listings, AreAsOftenAfterAPauseAsBefore) {
  an_hour(6);
  const double before = an_hour(6);
  now_ += 60 * 3'600;
  EXPECT_NEAR(an_hour(6) / before, 1, 0.25);
}

// A listing that fails, or lacks some, has shown sessions as well.
TEST_F(Listings, AreAsOftenWhereHalfOfThemFail) {
  an_hour(6);
  const double before = an_hour(6);
  for (const End end : {End::kFailed, End::kIncomplete}) {
    an_hour(12, [this, end] { return random_() % 2 == 0 ? end : End::kComplete; });
    EXPECT_NEAR(an_hour(6) / before, 1, 0.25);
    an_hour(12, [end, is_turn = false]() mutable { return (is_turn = !is_turn) ? end : End::kComplete; });
    EXPECT_NEAR(an_hour(6) / before, 1, 0.25);
  }
}

// Nothing is listed in full for days: of all that was shown the last hour counts, as its time does.
TEST_F(Listings, AreAsOftenAfterManyThatFailed) {
  an_hour(6);
  const double before = an_hour(6);
  an_hour(60, [] { return End::kFailed; });
  EXPECT_NEAR(an_hour(6) / before, 1, 0.25);
}

}  // namespace
}  // namespace sessionlogd
