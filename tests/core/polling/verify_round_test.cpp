#include "core/polling/verify_round.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/state/session_state.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr Watched kDay = 24h;

// Deals with all that are held.
std::vector<std::uint64_t> drain(VerifyRound& round) {
  std::vector<std::uint64_t> keys;
  while (const auto next = round.next()) {
    keys.push_back(next->first);
    round.was_compared(next->first, 0);
  }
  return keys;
}

TEST(VerifyRound, BeginsOnceInItsInterval) {
  VerifyPlace place;
  VerifyRound round(place, kDay, 20);
  EXPECT_EQ(round.next_begins(), kDay) << "what was just read at first contact is not read again";
  round.begin(26h, 3);
  EXPECT_TRUE(round.goes_on());
  EXPECT_FALSE(round.time_is_up(49h));
  EXPECT_TRUE(round.time_is_up(50h));
  round.end({1'000, 0});
  EXPECT_FALSE(round.goes_on());
  EXPECT_EQ(round.next_begins(), 50h);
}

TEST(VerifyRound, IsAboutTheLastDayAndAboutAllSinceTheOneBefore) {
  VerifyPlace place;
  EXPECT_EQ(VerifyRound(place, 1h, 20).span(), kDay);
  EXPECT_EQ(VerifyRound(place, 7 * kDay, 20).span(), 7 * kDay);
  VerifyRound round(place, kDay, 20);
  round.begin(30h, 0);
  EXPECT_EQ(round.since(30h, {1'000'000, 0}), (Instant{1'000'000 - 86'400, 0}));
  EXPECT_EQ(round.since(40h, {1'036'000, 0}), (Instant{1'000'000 - 86'400, 0})) << "however long it goes on";
}

TEST(VerifyRound, TakesSessionsInOrderOfTheirKeysAndEachOnce) {
  VerifyPlace place;
  VerifyRound round(place, kDay, 20);
  round.begin(kDay, 3);
  for (const std::uint64_t key : {7, 3, 9, 3}) round.offer(key, "session");
  EXPECT_EQ(drain(round), (std::vector<std::uint64_t>{3, 7, 9}));
  for (const std::uint64_t key : {7, 3, 9}) round.offer(key, "session");
  EXPECT_FALSE(round.next());
  EXPECT_FALSE(round.left_some_out());
  EXPECT_EQ(round.end({}), (VerifyTally{.of = 3, .sessions = 3}));
}

TEST(VerifyRound, HoldsOnlySoManyAndLeavesNoneOut) {
  VerifyPlace place;
  VerifyRound round(place, kDay, 20);
  constexpr std::uint64_t kSessions = 2 * VerifyRound::kMostHeld + 500;
  round.begin(kDay, kSessions);
  std::vector<std::uint64_t> read;
  for (int walks = 1;; ++walks) {
    round.begin_walk();
    // Newest first, as a listing may be: in no order of the keys.
    for (std::uint64_t i = 0; i < kSessions; ++i) round.offer(i * 7'919 % kSessions + 1, "session");
    const auto keys = drain(round);
    EXPECT_LE(keys.size(), VerifyRound::kMostHeld);
    read.insert(read.end(), keys.begin(), keys.end());
    if (!round.left_some_out()) break;
    ASSERT_LT(walks, 4);
  }
  EXPECT_EQ(read.size(), kSessions);
  EXPECT_TRUE(std::ranges::is_sorted(read, std::less_equal<>())) << "each once";
}

TEST(VerifyRound, GoesOnWhereARestartCutIt) {
  SourceState source;
  VerifyRound before(source.verify, kDay, 20);
  before.begin(30h, 4);
  for (const std::uint64_t key : {1, 2, 3, 4}) before.offer(key, "session");
  before.was_compared(1, 2);
  before.could_not(2);

  SourceState restored = decode_source(encode_source(source));
  EXPECT_EQ(restored.verify, source.verify);
  VerifyRound after(restored.verify, kDay, 20);
  EXPECT_TRUE(after.goes_on());
  for (const std::uint64_t key : {1, 2, 3, 4}) after.offer(key, "session");
  EXPECT_EQ(drain(after), (std::vector<std::uint64_t>{3, 4}));
  EXPECT_EQ(after.end({5, 0}), (VerifyTally{.of = 4, .sessions = 3, .late = 2, .could_not = 1}));
  EXPECT_EQ(decode_source(encode_source(restored)).verify, restored.verify);
  EXPECT_EQ(decode_source(encode_source({})).verify, VerifyPlace{});
}

TEST(VerifyRound, SpreadsRequestsOverTheIntervalWithinATenthOfTheRate) {
  struct Row {
    std::uint64_t sessions;
    double rate;
    Watched after;  // since it began
    std::chrono::milliseconds gap;
  };
  const Row rows[] = {
      {216, 20, 0h, 6min},    // nine tenths of a day
      {216, 20, 18h, 1min},   // 3.6 h are left of it
      {216, 20, 23h, 500ms},  // it was spread over: as fast as may be
      {1, 20, 0h, 21h + 36min},  {0, 20, 0h, 21h + 36min}, {1'000'000, 20, 0h, 500ms},  // 2 a second
      {1'000'000, 0.5, 0h, 20s},
  };
  for (const Row& row : rows) {
    VerifyPlace place;
    VerifyRound round(place, kDay, row.rate);
    round.begin(30h, row.sessions);
    EXPECT_EQ(round.gap(30h + row.after), row.gap)
        << row.sessions << " at " << row.rate << " after " << row.after.count();
  }
}

TEST(VerifyRound, IsOfWhatTheListingHasOfferedWhenItWasReadToItsEnd) {
  VerifyPlace place;
  VerifyRound round(place, kDay, 20);
  round.begin(30h, 6);
  round.begin_walk();
  for (const std::uint64_t key : {1, 2, 3, 4}) round.offer(key, "session");
  EXPECT_EQ(place.tally.of, 6u);
  round.end_walk();
  EXPECT_EQ(place.tally.of, 4u) << "two are not listed any more";
  round.was_compared(1, 0);
  round.begin_walk();
  for (const std::uint64_t key : {1, 2, 3}) round.offer(key, "session");
  round.end_walk();
  EXPECT_EQ(place.tally.of, 3u);
}

TEST(VerifyRound, CountsWhatIsPutOffAmongThoseThatCouldNotBeUntilItIsCompared) {
  VerifyPlace place;
  VerifyRound round(place, kDay, 20);
  round.begin(30h, 3);
  for (const std::uint64_t key : {1, 2, 3}) round.offer(key, "session");
  round.put_off(1);
  round.put_off(2);
  EXPECT_EQ(round.next()->first, 3u) << "nothing waits for it";
  round.was_compared(3, 0);
  EXPECT_EQ(place.tally, (VerifyTally{.of = 3, .sessions = 1, .could_not = 2}));
  round.put_off(1);
  EXPECT_EQ(round.put_off().size(), 2u);
  round.was_compared(1, 4);
  round.could_not(2);
  EXPECT_TRUE(round.put_off().empty());
  EXPECT_EQ(place.key, 3u);
  EXPECT_EQ(place.tally, (VerifyTally{.of = 3, .sessions = 2, .late = 4, .could_not = 1}));
}

TEST(VerifyRound, SaysHowManyWereNotReached) {
  VerifyPlace place;
  VerifyRound round(place, kDay, 20);
  round.begin(30h, 100'000);
  round.offer(5, "session");
  round.was_compared(5, 0);
  const VerifyTally tally = round.end({7, 0});
  EXPECT_EQ(tally.of, 100'000u);
  EXPECT_EQ(tally.sessions, 1u);
  EXPECT_EQ(place.last, tally);
  EXPECT_EQ(place.ended, (Instant{7, 0}));
  // Marks say less than the listing when a clock was wrong while they were made.
  round.begin(60h, 1);
  for (const std::uint64_t key : {1, 2, 3}) round.offer(key, "session");
  drain(round);
  EXPECT_EQ(round.end({}).of, 3u);
}

}  // namespace
}  // namespace sessionlogd
