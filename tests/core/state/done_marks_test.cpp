#include "core/state/done_marks.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15u;  // keys are hashes

// One of each kind in turn.
DoneMark mark(std::uint32_t number) {
  using Kind = DoneMark::Kind;
  DoneMark mark{.digest = number * kSpread};
  if (number % 3 == 0) mark.absent_since = std::chrono::seconds{number};
  const Instant at{std::int64_t{number} - 62'135'596'800, 0};
  switch (number % 5) {
    case 0:
      mark.kind = Kind::kDelivered;
      mark.sum = number * 3;
      mark.place = static_cast<std::uint16_t>(number);
      mark.made = {number, 0};
      break;
    case 1:
      mark.kind = Kind::kLeftAlone;
      mark.start = at;
      mark.stop_hash = number * 7;
      break;
    case 2:
      mark.kind = Kind::kLeftAlone;  // without a start
      break;
    case 3:
      mark.kind = Kind::kBefore;
      mark.start = {number * std::int64_t{60}, 0};
      mark.made = {number * std::int64_t{2}, 0};
      break;
    default:
      mark.kind = Kind::kOld;
      mark.latest = {at.seconds, number};
      break;
  }
  return mark;
}

bool same(const DoneMark& a, const DoneMark& b) { return a == b; }

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
    marks.for_each([&](std::uint64_t key, const DoneMark& one, bool) {
      ++seen;
      ASSERT_TRUE(same(model.at(key), one));
    });
    EXPECT_EQ(seen, model.size());
  }
}

TEST(DoneMarks, TellsWhichASweepHasShown) {
  DoneMarks marks;
  for (std::uint32_t number = 0; number < 10; ++number) marks.put(number * kSpread, mark(number));
  marks.begin_sweep();
  EXPECT_FALSE(marks.shown(kSpread)) << "it was not absent";
  EXPECT_TRUE(marks.shown(3 * kSpread)) << "it was: it is durable that it is back";
  EXPECT_FALSE(marks.find(3 * kSpread)->absent_since);
  EXPECT_FALSE(marks.shown(77)) << "there is none";
  marks.put(4 * kSpread, mark(4));
  std::size_t shown = 0;
  marks.for_each([&](std::uint64_t key, const DoneMark&, bool was_shown) {
    EXPECT_EQ(was_shown, marks.was_shown(key));
    shown += was_shown ? 1 : 0;
  });
  EXPECT_EQ(shown, 3u);
  marks.begin_sweep();
  EXPECT_FALSE(marks.was_shown(kSpread));
}

}  // namespace
}  // namespace sessionlogd
