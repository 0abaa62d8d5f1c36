#include "core/http/request_counts.h"

#include <algorithm>

namespace sessionlogd {

void RequestCounts::add(int status) {
  const auto same = [&](int wanted) {
    return std::find_if(counts_.begin(), counts_.end(), [&](const auto& count) { return count.first == wanted; });
  };
  auto count = same(status);
  if (count == counts_.end() && counts_.size() >= kMost) count = same(status = kOther);
  if (count == counts_.end()) count = counts_.insert(count, {status, 0});
  ++count->second;
}

std::uint64_t RequestCounts::total() const {
  std::uint64_t sum = 0;
  for (const auto& [status, count] : counts_) sum += count;
  return sum;
}

}  // namespace sessionlogd
