#include "core/state/delivered_sum.h"

#include <gtest/gtest.h>

#include "core/state/identity.h"

namespace sessionlogd {
namespace {

constexpr std::uint64_t kSession = 77;
using Entries = std::vector<std::uint32_t>;

std::uint32_t sum_of(const std::vector<std::pair<std::uint64_t, std::uint32_t>>& entries) {
  SessionHistory history;
  for (const auto& [key, hash] : entries) history.append(key, hash, 0);
  return history.sum();
}

TEST(DeliveredSum, FindsWhatComesFirst) {
  const std::vector<EntryDigest> log{{10, 1, true}, {20, 2, true}, {30, 3, true}, {10, 4, true}};
  const Entries by_time{3, 1, 0, 2};
  const auto find = [&](std::uint32_t sum) { return find_delivered(sum, log, by_time, kSession); };
  const std::uint64_t twin = twin_key(10, 1, kSession);
  EXPECT_EQ(find(sum_of({})), Entries{}) << "nothing was there yet";
  EXPECT_EQ(find(sum_of({{10, 1}})), Entries{0});
  EXPECT_EQ(find(sum_of({{30, 3}, {10, 1}, {20, 2}})), (Entries{0, 1, 2})) << "in whatever order it was delivered";
  EXPECT_EQ(find(sum_of({{10, 1}, {20, 2}, {30, 3}, {twin, 4}})), (Entries{0, 1, 2, 3}));
  EXPECT_EQ(find(sum_of({{10, 4}, {20, 2}})), (Entries{3, 1})) << "in order of time, the twin that came first";
  EXPECT_EQ(find(sum_of({{10, 4}, {20, 2}, {twin, 1}, {30, 3}})), (Entries{3, 1, 0, 2}));
  EXPECT_EQ(find(sum_of({{20, 2}, {30, 3}})), std::nullopt) << "not the first";
  EXPECT_EQ(find(sum_of({{10, 9}})), std::nullopt) << "it has changed";
  EXPECT_EQ(find(sum_of({{40, 1}})), std::nullopt);
}

}  // namespace
}  // namespace sessionlogd
