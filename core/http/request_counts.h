// How many requests ended with which HTTP status.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sessionlogd {

// Requests by HTTP status; 0: no response could be read. An appliance chooses the numbers, so only the first kMost are
// told apart.
class RequestCounts {
 public:
  static constexpr std::size_t kMost = 16;
  static constexpr int kOther = -1;

  void add(int status);
  std::uint64_t total() const;
  const std::vector<std::pair<int, std::uint64_t>>& by_status() const { return counts_; }

 private:
  std::vector<std::pair<int, std::uint64_t>> counts_;
};

}  // namespace sessionlogd
