#include "core/done_marks.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15u;  // keys are hashes

DoneMark mark(std::uint32_t number) { return {number * kSpread, {std::int64_t{number} - 62'135'596'800, number}}; }

bool same(const DoneMark& a, const DoneMark& b) { return a.digest == b.digest && a.latest == b.latest; }

TEST(DoneMarks, GivesBackWhatWasPut) {
  DoneMarks marks;
  EXPECT_FALSE(marks.contains(0));
  for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{7}, kSpread, UINT64_MAX}) {
    marks.put(key, mark(1));
    marks.put(key, mark(2));
    ASSERT_TRUE(marks.find(key)) << key;
    EXPECT_TRUE(same(*marks.find(key), mark(2))) << key;
  }
  EXPECT_EQ(marks.size(), 4u);
  marks.erase(7);
  marks.erase(7);
  EXPECT_EQ(marks.size(), 3u);
  EXPECT_FALSE(marks.contains(7));
}

// Also of keys that lie close together, as no hash does.
TEST(DoneMarks, HoldsWhatAMapHolds) {
  std::mt19937_64 random(test::random_seed());
  for (const std::uint64_t apart : {std::uint64_t{1}, std::uint64_t{1} << 40, kSpread}) {
    DoneMarks marks;
    std::map<std::uint64_t, DoneMark> model;
    for (std::uint32_t step = 0; step < 20'000; ++step) {
      const std::uint64_t key = random() % 5'000 * apart;
      if (random() % 4 == 0) {
        marks.erase(key);
        model.erase(key);
      } else {
        marks.put(key, mark(step));
        model[key] = mark(step);
      }
    }
    const auto should_go = [](std::uint64_t, const DoneMark& one) { return one.digest % 3 == 0; };
    marks.erase_if(should_go);
    std::erase_if(model, [&](const auto& one) { return should_go(one.first, one.second); });
    ASSERT_EQ(marks.size(), model.size());
    for (std::uint64_t number = 0; number < 5'000; ++number) {
      const auto found = marks.find(number * apart);
      const auto known = model.find(number * apart);
      ASSERT_EQ(found.has_value(), known != model.end()) << number;
      ASSERT_TRUE(!found || same(*found, known->second)) << number;
    }
    std::size_t seen = 0;
    marks.for_each([&](std::uint64_t key, const DoneMark& one) {
      ++seen;
      ASSERT_TRUE(same(model.at(key), one));
    });
    EXPECT_EQ(seen, model.size());
  }
}

}  // namespace
}  // namespace sessionlogd
