#include "core/polling/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

SteadyTime at(int second) { return SteadyTime(std::chrono::seconds(second)); }

std::vector<Schedule::Slot> take_all(Schedule& schedule, SteadyTime now) {
  std::vector<Schedule::Slot> taken;
  while (const auto slot = schedule.take_due(now)) taken.push_back(*slot);
  return taken;
}

using Slots = std::vector<Schedule::Slot>;

TEST(Schedule, HasNothingToDoAtFirst) {
  Schedule schedule;
  EXPECT_EQ(schedule.next_due(), std::nullopt);
  EXPECT_EQ(schedule.take_due(SteadyTime::max()), std::nullopt);
  EXPECT_EQ(schedule.size(), 0u);
}

TEST(Schedule, GivesWhatHasBeenDueTheLongest) {
  Schedule schedule;
  schedule.set(7, at(30));
  schedule.set(8, at(10));
  schedule.set(9, at(20));
  EXPECT_EQ(schedule.next_due(), at(10));
  EXPECT_EQ(take_all(schedule, at(20)), (Slots{8, 9}));
  EXPECT_EQ(schedule.next_due(), at(30));
  EXPECT_EQ(schedule.size(), 1u);
}

TEST(Schedule, OfEqualTimesGivesTheLowestSlotAndEachOnce) {
  Schedule schedule;
  for (const Schedule::Slot slot : {5u, 3u, 9u, 1u, 7u}) schedule.set(slot, at(10));
  schedule.set(3, at(10));
  schedule.set(9, at(20));
  schedule.set(9, at(10));
  EXPECT_EQ(take_all(schedule, at(10)), (Slots{1, 3, 5, 7, 9}));
}

TEST(Schedule, MovesASlotEarlierAndLater) {
  Schedule schedule;
  schedule.set(1, at(10));
  schedule.set(2, at(20));
  schedule.set(1, at(30));
  EXPECT_EQ(schedule.size(), 2u);
  EXPECT_EQ(schedule.next_due(), at(20));
  schedule.set(1, at(5));
  EXPECT_EQ(schedule.next_due(), at(5));
  EXPECT_EQ(take_all(schedule, at(100)), (Slots{1, 2}));
}

TEST(Schedule, ForgetsWhatIsCancelled) {
  Schedule schedule;
  schedule.set(1, at(10));
  schedule.set(2, at(20));
  schedule.cancel(1);
  schedule.cancel(1);
  schedule.cancel(99);
  EXPECT_EQ(schedule.size(), 1u);
  EXPECT_EQ(schedule.next_due(), at(20));
  EXPECT_EQ(take_all(schedule, at(100)), (Slots{2}));
}

TEST(Schedule, TakenSlotsHaveNoDueTimeUntilTheyAreSetAgain) {
  Schedule schedule;
  schedule.set(4, at(10));
  EXPECT_EQ(schedule.take_due(at(10)), 4u);
  EXPECT_EQ(schedule.next_due(), std::nullopt);
  EXPECT_EQ(schedule.take_due(at(99)), std::nullopt);
  schedule.set(4, at(50));
  EXPECT_EQ(schedule.take_due(at(49)), std::nullopt);
  EXPECT_EQ(schedule.take_due(at(50)), 4u);
}

// The same promises as an ordered set.
class Model {
 public:
  void set(Schedule::Slot slot, SteadyTime due) {
    cancel(slot);
    due_.emplace(slot, due);
    order_.emplace(due, slot);
  }
  void cancel(Schedule::Slot slot) {
    const auto known = due_.find(slot);
    if (known == due_.end()) return;
    order_.erase({known->second, slot});
    due_.erase(known);
  }
  std::optional<SteadyTime> next_due() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }
  std::optional<Schedule::Slot> take_due(SteadyTime now) {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    const Schedule::Slot slot = order_.begin()->second;
    cancel(slot);
    return slot;
  }
  std::size_t size() const { return due_.size(); }

 private:
  std::map<Schedule::Slot, SteadyTime> due_;
  std::set<std::pair<SteadyTime, Schedule::Slot>> order_;
};

void expect_same(const Schedule& schedule, const Model& model) {
  ASSERT_EQ(schedule.next_due(), model.next_due());
  ASSERT_EQ(schedule.size(), model.size());
}

// Of a hundred steps `sets_in_a_hundred` are set(); cancel() and take_due() share the rest.
void compare_at_random(std::mt19937_64& random, unsigned slots, unsigned sets_in_a_hundred) {
  Schedule schedule;
  Model model;
  int now = 0;
  for (int step = 0; step < 5'000; ++step) {
    SCOPED_TRACE(::testing::Message() << "slots=" << slots << " sets=" << sets_in_a_hundred << " step=" << step);
    const auto slot = static_cast<Schedule::Slot>(random() % slots);
    const std::uint64_t what = random() % 100;
    if (what < sets_in_a_hundred) {
      const SteadyTime due = at(now + static_cast<int>(random() % 40));
      schedule.set(slot, due);
      model.set(slot, due);
    } else if (what % 3 == 0) {
      schedule.cancel(slot);
      model.cancel(slot);
    } else {
      now += static_cast<int>(random() % 3);
      ASSERT_EQ(schedule.take_due(at(now)), model.take_due(at(now)));
    }
    ASSERT_NO_FATAL_FAILURE(expect_same(schedule, model));
  }
}

TEST(Schedule, DoesWhatAnOrderedSetDoes) {
  std::mt19937_64 random(test::random_seed());
  for (const unsigned slots : {1u, 5u, 60u, 400u}) {
    for (const unsigned sets : {40u, 70u, 97u}) compare_at_random(random, slots, sets);
  }
}

TEST(Schedule, KeepsItsPromisesWithMany) {
  std::mt19937_64 random(test::random_seed());
  Schedule schedule;
  Model model;
  const auto time = [](std::int64_t ms) { return SteadyTime(milliseconds(ms)); };
  std::int64_t now = 0;
  std::size_t most = 0;
  for (std::uint64_t step = 0; step < 200'000; ++step) {
    SCOPED_TRACE(::testing::Message() << "step=" << step);
    const auto slot = static_cast<Schedule::Slot>(random() % 40'000);
    const std::uint64_t what = random() % 10;
    if (step < 20'000 || what < 5) {
      const std::int64_t spans[] = {1, 5'000, 60'000, 3'600'000, 1'000'000'000};
      const auto due =
          time(now + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spans[random() % 5])));
      model.set(slot, due);
      schedule.set(slot, due);
    } else if (what == 5 && step % 50 == 0) {
      model.cancel(slot);
      schedule.cancel(slot);
    } else {
      if (step % 1'000 == 0) now += static_cast<std::int64_t>(random() % 10'000'000);
      now += static_cast<std::int64_t>(random() % 10);
      ASSERT_EQ(schedule.take_due(time(now)), model.take_due(time(now)));
    }
    most = std::max(most, model.size());
    ASSERT_NO_FATAL_FAILURE(expect_same(schedule, model));
  }
  EXPECT_GT(most, 4'096u);
}

}  // namespace
}  // namespace sessionlogd
