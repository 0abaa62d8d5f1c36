// Notices that a source writes its times in another zone than they are read in: times without a zone tell nothing of
// it. A session that is first seen running, and that the listing before did not show, began between the two. Three such
// starts in a row that are off by the same multiple of 15 minutes are no chance. No clock is read here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/timestamp.h"

namespace sessionlogd {

class ZoneGuess {
 public:
  // A session that began between `since` and `now`, both by the source's clock, says that it began at `start`. Returns
  // by how much it and the two before are ahead of what is true (less than zero: behind), once for each such finding.
  std::optional<std::chrono::minutes> began(Instant start, Instant since, Instant now) {
    constexpr std::int64_t kQuarter = 15 * 60, kSlack = 60, kMost = 14 * 3600;
    const std::int64_t least = start.seconds - now.seconds - kSlack, most = start.seconds - since.seconds + kSlack;
    if (least <= 0 && most >= 0) {
      in_a_row_ = 0;
      return std::nullopt;
    }
    // The multiple at or above `least`.
    const std::int64_t off = (least + (least > 0 ? kQuarter - 1 : 0)) / kQuarter * kQuarter;
    const bool is_one = off >= least && off <= most && off + kQuarter > most && off >= -kMost && off <= kMost;
    if (!is_one) return std::nullopt;
    in_a_row_ = off == off_ ? in_a_row_ + 1 : 1;
    off_ = off;
    if (in_a_row_ != kInARow) return std::nullopt;
    return std::chrono::minutes{off / 60};
  }

 private:
  static constexpr unsigned kInARow = 3;

  std::int64_t off_ = 0;
  unsigned in_a_row_ = 0;
};

}  // namespace sessionlogd
