#include "core/state/delivered_sum.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <numeric>

#include "core/state/identity.h"

namespace sessionlogd {
namespace {

// How many of the first entries in this order the sum is of.
std::optional<std::size_t> count_first(std::uint32_t sum, std::span<const EntryDigest> log,
                                       std::span<const std::uint32_t> order, std::uint64_t session_key) {
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> twins;
  std::uint32_t so_far = 0;
  for (std::size_t i = 0;; ++i) {
    if (so_far == sum) return i;
    if (i == order.size()) return std::nullopt;
    const EntryDigest& entry = log[order[i]];
    so_far += sum_share(twin_key(entry.base, twins[entry.base]++, session_key), entry.hash);
  }
}

}  // namespace

std::optional<std::vector<std::uint32_t>> find_delivered(std::uint32_t sum, std::span<const EntryDigest> log,
                                                         std::span<const std::uint32_t> by_time,
                                                         std::uint64_t session_key) {
  std::vector<std::uint32_t> order(log.size());
  std::iota(order.begin(), order.end(), 0u);
  auto count = count_first(sum, log, order, session_key);
  if (!count) {
    order.assign(by_time.begin(), by_time.end());
    count = count_first(sum, log, order, session_key);
  }
  if (!count) return std::nullopt;
  order.resize(*count);
  return order;
}

}  // namespace sessionlogd
