// Lanes come and go 10,000 times at random moments under a simulated fleet, with pollers held inside a step and inside
// a logout, while the list is changed: nothing is lost, nothing comes twice, no poller of an old life lives on.
#include <gtest/gtest.h>
#include <malloc.h>

#include "tests/daemon/control/fake_group.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kHalf = 5'000;

std::size_t heap_bytes() {
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

TEST(Lanes, ComeAndGoAndNothingIsLostOrComesTwice) {
  FakeGroup group(random_seed());
  group.run_until_lanes_came(kHalf);
  const std::size_t heap = heap_bytes();
  group.run_until_lanes_came(kHalf);
  // A kilobyte that each life of a source left behind would be twenty times as much.
  EXPECT_LT(heap_bytes(), heap + (1u << 20)) << "memory grows";
  EXPECT_LE(group.lives_held(), 3 * FakeGroup::kPartitions);
  EXPECT_LE(group.most_queue_bytes(), 2 * FakeGroup::kQueueBytes);

  group.calm_down(30min);
  EXPECT_EQ(group.missing(), 0u);
  EXPECT_EQ(group.reckoning().twice(), 0u);
  EXPECT_EQ(group.reckoning().gaps(), 0u);
  EXPECT_EQ(group.two_lives_at_once, 0u);
  EXPECT_EQ(group.reloads_ended, group.reloads_begun) << "a reload was not answered";
  EXPECT_EQ(group.pollers(), FakeGroup::kSources);

  group.end_all();
  EXPECT_EQ(group.pollers(), 0u);
  EXPECT_EQ(group.lives_held(), 0u);
  EXPECT_EQ(group.queue_bytes(), 0u);
  // Or the test has not tried what it is for.
  EXPECT_GT(group.lost_inside_a_step, 20u);
  EXPECT_GT(group.lost_before_a_commit, 0u);
  EXPECT_GT(group.held_inside_a_logout, 1'000u);
  EXPECT_GT(group.dropped_by_the_fence, 100u);
  EXPECT_GT(group.reloads_ended, 100u);
  EXPECT_GT(group.events(), 1'000u);
}

}  // namespace
}  // namespace sessionlogd::test
