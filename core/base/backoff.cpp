#include "core/base/backoff.h"

#include <algorithm>
#include <limits>

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kLeast{100};
constexpr unsigned kMostDoublings = 6;  // 1 s * 2^6 is past kMost

}  // namespace

std::chrono::milliseconds Backoff::failed(std::uint64_t random) {
  const unsigned doublings = std::min<unsigned>(failures_, kMostDoublings);
  if (failures_ < std::numeric_limits<decltype(failures_)>::max()) ++failures_;
  const std::chrono::milliseconds most = std::min(kFirst * (1 << doublings), kMost);
  // The remainder's bias is below one in 2^48.
  const auto wait = static_cast<std::int64_t>(random % (static_cast<std::uint64_t>(most.count()) + 1));
  return std::max(std::chrono::milliseconds(wait), kLeast);
}

}  // namespace sessionlogd
