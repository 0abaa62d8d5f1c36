// A queue has a life, and shares the memory with those of other lanes. What a committer sees of it: committer_test.
#include "core/state/batch_queue.h"

#include <gtest/gtest.h>

#include <numeric>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kOne = 1'000;  // bytes of a batch

Batch batch() {
  Batch made;
  made.events.reserve(kOne - Batch().bytes());
  made.source_id.shrink_to_fit();
  return made;
}

class SharedQueues : public testing::Test {
 protected:
  BatchQueue& open() { return *lanes_.emplace_back(std::make_unique<BatchQueue>(memory_)); }
  // Batches until it is full.
  static std::size_t fill(BatchQueue& queue) {
    std::size_t pushed = 0;
    for (; !queue.full(); ++pushed) queue.push(batch());
    return pushed;
  }
  static std::vector<Batch> take(BatchQueue& queue) {
    std::vector<Batch> taken;
    EXPECT_TRUE(queue.take(taken, 0, 0ms));
    return taken;
  }

  const std::shared_ptr<QueueMemory> memory_ = std::make_shared<QueueMemory>(1'200 * batch().bytes());
  std::vector<std::unique_ptr<BatchQueue>> lanes_;
};

TEST_F(SharedQueues, DropWhatIsPushedToALifeThatIsOver) {
  BatchQueue& queue = open();
  queue.push(batch());
  queue.end();
  EXPECT_EQ(memory_->bytes(), 0u);
  queue.push(batch());
  EXPECT_EQ(memory_->bytes(), 0u);
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_TRUE(queue.full()) << "its pollers rest";
  std::vector<Batch> taken;
  EXPECT_FALSE(queue.take(taken, 1, 24h));
  EXPECT_FALSE(memory_->oldest());
}

TEST_F(SharedQueues, CountWhatIsUnderWayWhenALifeEndsUntilItIsReleased) {
  BatchQueue& queue = open();
  queue.push(batch());
  std::vector<Batch> taken = take(queue);
  queue.push(batch());
  queue.end();
  EXPECT_EQ(memory_->bytes(), taken[0].bytes());
  queue.release(taken);
  EXPECT_EQ(memory_->bytes(), 0u);
  EXPECT_EQ(queue.committed(), 1u);
  EXPECT_EQ(queue.pushed(), 2u);
}

TEST_F(SharedQueues, GiveBackWhatAQueueHeldThatIsGone) {
  open().push(batch());
  std::vector<Batch> taken = take(*lanes_[0]);
  lanes_[0]->push(batch());
  lanes_.clear();
  EXPECT_EQ(memory_->bytes(), 0u);
}

TEST_F(SharedQueues, NumberTheirLives) {
  EXPECT_EQ(open().life(), 1u);
  lanes_.clear();
  EXPECT_EQ(open().life(), 2u);
}

TEST_F(SharedQueues, LeaveAllToOneThatIsAlone) {
  BatchQueue& queue = open();
  EXPECT_EQ(fill(queue), 1'200u);
  open();
  EXPECT_TRUE(queue.full());
  lanes_[1]->end();
  take(queue);
  EXPECT_TRUE(queue.full());
}

// Beside k stuck ones a healthy one has 1/(2(k+1)).
TEST_F(SharedQueues, LeaveAHealthyOneItsShareBesideThoseThatAreStuck) {
  for (std::size_t stuck = 1; stuck <= 5; ++stuck) {
    lanes_.clear();
    for (std::size_t i = 0; i <= stuck; ++i) open();
    for (bool some = true; some;) {
      some = false;
      for (std::size_t i = 0; i < stuck; ++i) {
        if (lanes_[i]->full()) continue;
        lanes_[i]->push(batch());
        some = true;
      }
    }
    const std::size_t share = 1'200 / (2 * (stuck + 1));
    EXPECT_NEAR(static_cast<double>(fill(*lanes_[stuck])), static_cast<double>(share), 3.0) << stuck;
    take(*lanes_[stuck]);
    EXPECT_TRUE(lanes_[stuck]->full()) << "it counts until it is released";
  }
}

TEST_F(SharedQueues, TellOnceOfRoomForWhomeverWasFoundFull) {
  int told = 0;
  memory_->on_room([&] { ++told; });
  BatchQueue& stuck = open();
  BatchQueue& other = open();
  fill(other);
  fill(stuck);
  std::vector<Batch> taken = take(other);
  const std::span<Batch> all = taken;
  other.release(all.subspan(0, 1));
  EXPECT_FALSE(stuck.full()) << "what another one releases is free for it, too";
  EXPECT_EQ(told, 1);
  other.release(all.subspan(1, 200));
  EXPECT_EQ(told, 2) << "the other one is not full any more, either";
  other.release(all.subspan(201));
  EXPECT_EQ(told, 2);
}

TEST_F(SharedQueues, TellOfRoomWhenALifeEnds) {
  int told = 0;
  memory_->on_room([&] { ++told; });
  BatchQueue& stuck = open();
  BatchQueue& healthy = open();
  fill(stuck);
  fill(healthy);
  stuck.end();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(healthy.full());
}

TEST_F(SharedQueues, AreFullWhileTheyRestAndTellWhenThatEnds) {
  int told = 0;
  memory_->on_room([&] { ++told; });
  BatchQueue& resting = open();
  BatchQueue& other = open();
  resting.rest(true);
  EXPECT_TRUE(resting.full());
  EXPECT_FALSE(other.full());
  resting.push(batch());
  EXPECT_EQ(take(resting).size(), 1u) << "what was read is committed";
  resting.rest(false);
  EXPECT_FALSE(resting.full());
  EXPECT_EQ(told, 1);
  resting.rest(false);
  EXPECT_EQ(told, 1);
}

TEST_F(SharedQueues, AreAllFullWhileTheProcessIsQuietAndTellWhenThatIsOver) {
  const FreezeGuard::Time now = FreezeGuard::now();
  FreezeGuard guard(now - 10s);  // and was not stamped since
  const auto memory = std::make_shared<QueueMemory>(1 << 20, &guard);
  int told = 0;
  memory->on_room([&] { ++told; });
  BatchQueue queue(memory);
  EXPECT_TRUE(queue.full());
  EXPECT_TRUE(queue.is_quiet());
  EXPECT_FALSE(queue.rests());
  memory->look();
  EXPECT_EQ(told, 0);
  for (const auto ago : {6s, 4s, 2s, 0s}) guard.stamp(now - ago);
  memory->look();
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(queue.full());
}

TEST_F(SharedQueues, KnowSinceWhenTheOldestOfAllIsNotCommitted) {
  EXPECT_FALSE(memory_->oldest());
  BatchQueue& first = open();
  BatchQueue& second = open();
  const SteadyTime before = SteadyClock::now();
  first.push(batch());
  const SteadyTime between = SteadyClock::now();
  second.push(batch());
  first.push(batch());
  EXPECT_GE(memory_->oldest(), before);
  EXPECT_LE(memory_->oldest(), between);
  std::vector<Batch> taken = take(first);
  first.push(batch());
  EXPECT_LE(memory_->oldest(), between) << "what is being committed is not committed";
  first.release(taken);
  EXPECT_GE(memory_->oldest(), between);
  EXPECT_LE(memory_->oldest(), SteadyClock::now());
}

}  // namespace
}  // namespace sessionlogd
