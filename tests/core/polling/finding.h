// Whole sources that find their sessions, on simulated time: what all tests of it share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "tests/support/simulated_shard.h"

namespace sessionlogd::test {

inline constexpr std::chrono::hours kDay{24};

// Sessions of `length`, one each `gap`, from `begin_in` on.
inline std::vector<PlannedSession> one_each(std::chrono::milliseconds gap, std::size_t count,
                                            std::chrono::milliseconds begin_in, std::chrono::milliseconds length,
                                            std::uint16_t entries = 3) {
  std::vector<PlannedSession> plan;
  for (std::size_t i = 0; i < count; ++i) {
    const std::chrono::milliseconds start = begin_in + gap * static_cast<int>(i);
    plan.push_back({now_ms() + start.count(), static_cast<std::uint32_t>(length.count()), entries, i % 3 == 0});
  }
  return plan;
}

inline std::vector<PlannedSession> operator+(std::vector<PlannedSession> a, const std::vector<PlannedSession>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Of the first source: each entry of these sessions that was shown ten minutes ago or earlier was delivered.
#define EXPECT_ALL_DELIVERED(shard, begin, end)                              \
  do {                                                                       \
    EXPECT_EQ((shard).missing(0, begin, end, std::chrono::minutes{10}), 0u); \
    EXPECT_EQ((shard).reckoning().twice(), 0u);                              \
    EXPECT_EQ((shard).reckoning().gaps(), 0u);                               \
  } while (false)

// Coarse ticks, for days of simulated time.
inline SimulatedShard::Options for_days() { return {.tick = std::chrono::seconds{10}, .remembers = true}; }

}  // namespace sessionlogd::test
