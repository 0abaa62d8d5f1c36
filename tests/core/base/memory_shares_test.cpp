#include "core/base/memory_shares.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

constexpr std::size_t kMiB = 1u << 20;

TEST(MemoryShares, AddUpToNoMoreThanTheMemory) {
  for (const std::size_t memory : {64 * kMiB, 100 * kMiB, 512 * kMiB, 4096 * kMiB}) {
    for (const std::size_t max_body : {kMiB, 16 * kMiB, memory / kLeastMemoryPerBody}) {
      for (const std::size_t shards : {std::size_t{1}, MemoryShares::most_shards(memory)}) {
        const MemoryShares shares = MemoryShares::of(memory, shards, max_body, 8 * kMiB);
        const std::size_t sum =
            shares.queue +
            shards * (2 * shares.events_per_read + shares.small_bodies + shares.known_entries + shares.small_response) +
            shares.large_responses * shares.large_response;
        EXPECT_LE(sum, memory) << memory << " " << shards << " " << max_body;
        EXPECT_GE(shares.large_responses, 1u);
        EXPECT_GE(shares.large_response, max_body + max_body / 4) << memory << " " << shards << " " << max_body;
        EXPECT_GE(shares.small_bodies, kSmallBody);
        // The shortest entries of the products are of 58 bytes: as many as a small body holds, and its largest one.
        EXPECT_GE(shares.small_response, kSmallBody / 58 * kBytesPerEntry + 3 * kSmallBody);
        EXPECT_EQ(shares.largest_entry, std::min(8 * kMiB, memory / 64));
      }
    }
  }
}

}  // namespace
}  // namespace sessionlogd
