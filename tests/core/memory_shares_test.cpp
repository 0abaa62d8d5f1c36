#include "core/memory_shares.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

constexpr std::size_t kMiB = 1u << 20;

// What reading a small answer takes at the worst: 16,384 entries, an index of four bytes each, and the texts of one
// entry.
constexpr std::size_t kOwn = 16'384 * kBytesPerEntry + 4 * kSmallBody + 3 * kMiB;

TEST(MemoryShares, AddUpToNoMoreThanTheMemory) {
  for (const std::size_t memory : {64 * kMiB, 100 * kMiB, 512 * kMiB, 4096 * kMiB}) {
    for (const std::size_t max_body : {kMiB, 16 * kMiB, memory / kLeastMemoryPerBody}) {
      for (const std::size_t shards : {std::size_t{1}, MemoryShares::most_shards(memory)}) {
        const MemoryShares shares = MemoryShares::of(memory, shards, max_body);
        const std::size_t sum =
            shares.queue + shards * (2 * shares.events_per_read + shares.small_bodies + shares.known_entries + kOwn) +
            shares.large_answers * shares.large_answer;
        EXPECT_LE(sum, memory) << memory << " " << shards << " " << max_body;
        EXPECT_GE(shares.large_answers, 1u);
        EXPECT_GE(shares.large_answer, max_body + max_body / 4) << memory << " " << shards << " " << max_body;
        EXPECT_GE(shares.small_bodies, kSmallBody);
      }
    }
  }
}

}  // namespace
}  // namespace sessionlogd
