// How `memory` is divided, so that bodies, queue and batches together never take more.
//
//   3/16  batches in the queue or being committed
//   1/16  what the shards' reads in progress may add when the queue is just not full
//   1/8   small bodies in flight, an equal share for each shard
//   1/4   the shards' own: what reading a small response takes beside its body, and entries known by their bytes
//   3/8   large responses, one or more at a time: body, its entries, the parser's index, the texts of an entry
//
// In addition to it there are the session state, with a quarter of `memory` for fingerprints of what was delivered,
// libcurl's own (some 150 KB per TLS connection), and the sink's.
#pragma once

#include <algorithm>
#include <cstddef>

#include "config/settings.h"

namespace sessionlogd {

// A body grows past this only with a permit for a large one, of which a shard has one at most.
inline constexpr std::size_t kSmallBody = 1u << 20;

// Memory that one entry takes while its response is compared with what is known, at the worst: the entry (176 bytes,
// while the vector grows another), what is to be emitted of it in three orders, and the tables that find it.
inline constexpr std::size_t kBytesPerEntry = 512;

struct MemoryShares {
  std::size_t queue = std::size_t{1} << 40;
  std::size_t events_per_read = std::size_t{1} << 40;  // then the rest of the response waits for room in the queue
  std::size_t small_bodies = std::size_t{1} << 40;     // of one shard
  std::size_t small_response = std::size_t{1} << 40;   // of one shard: what reading one takes beside its body
  std::size_t large_response = std::size_t{1} << 40;   // body and all that reading it takes
  std::size_t largest_entry = std::size_t{1} << 40;    // that is delivered whole
  std::size_t known_entries = std::size_t{4} << 20;    // of one shard
  unsigned large_responses = 1;                        // in the whole process
  std::size_t connections = 16'384;  // of one shard: no memory of ours, but divided like it (core/descriptors)

  // `shards` is at least one and at most most_shards(memory), the memory at least kLeastMemoryPerBody times max_body:
  // the configuration is refused otherwise.
  static MemoryShares of(std::size_t memory, std::size_t shards, std::size_t max_body, std::size_t commit_bytes) {
    MemoryShares shares;
    shares.largest_entry = largest_entry_of(memory, commit_bytes);
    shares.queue = memory / 16 * 3;
    shares.events_per_read = memory / 32 / shards;
    shares.small_bodies = memory / 8 / shards;
    shares.known_entries = memory / 64 / shards;
    shares.small_response = memory / 4 / shards - shares.known_entries;
    // A second one only where the first has what the largest log of the shortest entries (100 bytes each) takes.
    shares.large_responses = static_cast<unsigned>(std::clamp<std::size_t>(memory / 16 / max_body, 1, shards));
    shares.large_response = memory / 8 * 3 / shares.large_responses;
    return shares;
  }

  // In addition to `memory`: what each of so many sources may keep as fingerprints.
  static std::size_t fingerprints(std::size_t memory, std::size_t sources) {
    return memory / 4 / std::max<std::size_t>(sources, 1);
  }

  // A sink makes so much durable at once; a larger event would be alone in more memory than is set aside for it.
  static std::size_t largest_entry_of(std::size_t memory, std::size_t commit_bytes) {
    return std::min(commit_bytes, memory / 64);
  }

  static std::size_t most_shards(std::size_t memory) {
    return std::max<std::size_t>(memory / kLeastMemoryPerThread, 1);
  }
};

}  // namespace sessionlogd
