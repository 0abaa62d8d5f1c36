#include "core/state/kept_fingerprints.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

SessionHistory history_of(std::uint64_t seed, std::size_t entries) {
  std::mt19937_64 random(seed);
  SessionHistory history;
  for (std::size_t i = 0; i < entries; ++i) history.append(random(), static_cast<std::uint32_t>(random()), 0);
  return history;
}

void expect_fingerprints_of(const SessionHistory& kept, const SessionHistory& whole) {
  ASSERT_EQ(kept.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(kept.key(i), static_cast<std::uint32_t>(whole.key(i)));
    EXPECT_EQ(kept.hash(i), whole.hash(i));
    EXPECT_EQ(kept.marks(i), SessionHistory::kHalf);
  }
  EXPECT_EQ(kept.sum(), whole.sum());
}

TEST(KeptFingerprints, GivesBackWhatWasPutOnce) {
  KeptFingerprints kept;
  EXPECT_EQ(kept.put(1, SessionHistory()), 0u);
  std::map<std::uint64_t, std::uint16_t> places;
  for (std::uint64_t key = 1; key <= 500; ++key) places[key] = kept.put(key, history_of(key, key % 40 + 1));
  for (const auto& [key, place] : places) {
    EXPECT_NE(place, 0u);
    const auto found = kept.find(key, place);
    ASSERT_TRUE(found);
    expect_fingerprints_of(*found, history_of(key, key % 40 + 1));
    const auto taken = kept.take(key, place);
    ASSERT_TRUE(taken);
    expect_fingerprints_of(*taken, history_of(key, key % 40 + 1));
    EXPECT_FALSE(kept.take(key, place));
  }
  EXPECT_FALSE(kept.take(1, 0));
}

TEST(KeptFingerprints, KeepsALargeSession) {
  KeptFingerprints kept;
  const std::uint16_t place = kept.put(7, history_of(7, 100'000));
  expect_fingerprints_of(*kept.take(7, place), history_of(7, 100'000));
}

TEST(KeptFingerprints, TakesLittleWhereThereIsLittleAndWastesLittleWhereThereIsMuch) {
  KeptFingerprints kept;
  for (std::uint64_t key = 1; key <= 2'000; ++key) {
    kept.put(key, history_of(key, 13));
    const std::size_t needed = key * (12 + 13 * 8);
    ASSERT_LE(kept.bytes(), std::min(2 * needed + 512, needed + needed / 16 + 4'096)) << key;
  }
}

TEST(KeptFingerprints, DropsTheOldestFirst) {
  KeptFingerprints kept;
  std::map<std::uint64_t, std::uint16_t> places;
  for (std::uint64_t key = 1; key <= 2'000; ++key) places[key] = kept.put(key, history_of(key, 13));
  ASSERT_TRUE(kept.take(2, places[2]));
  std::map<std::uint64_t, std::size_t> gone;
  const std::size_t bound = kept.bytes() / 2;
  kept.keep_within(bound, [&](std::uint64_t key, std::size_t entries) { gone[key] = entries; });
  EXPECT_LE(kept.bytes(), bound);
  EXPECT_FALSE(gone.empty());
  EXPECT_FALSE(gone.contains(2)) << "it had been taken";
  const std::uint64_t last_gone = gone.rbegin()->first;
  for (const auto& [key, place] : places) {
    if (key == 2) continue;
    EXPECT_EQ(gone.contains(key), key <= last_gone) << key;
    EXPECT_EQ(kept.take(key, place).has_value(), key > last_gone) << key;
  }
  EXPECT_EQ(gone[1], 13u);
}

TEST(KeptFingerprints, FindsWhatItHoldsHoweverOftenPagesCameAndWent) {
  KeptFingerprints kept;
  std::mt19937_64 random(test::random_seed());
  std::map<std::uint64_t, std::uint16_t> held;
  for (std::uint64_t key = 1; key <= 20'000; ++key) {
    held[key] = kept.put(key, history_of(key, 200 + random() % 400));  // about one a page: 65,535 places go round
    kept.keep_within(1u << 18, [&](std::uint64_t gone, std::size_t) { held.erase(gone); });
  }
  for (const auto& [key, place] : held) EXPECT_TRUE(kept.take(key, place)) << key;
}

}  // namespace
}  // namespace sessionlogd
