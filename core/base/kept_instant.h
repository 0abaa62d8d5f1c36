// An Instant in 9 bytes instead of 16: every session that is remembered has several.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/packed.h"
#include "core/base/timestamp.h"

namespace sessionlogd {

// Before all others: of what has not happened.
inline constexpr Instant kNever{INT64_MIN};

class KeptInstant {
 public:
  KeptInstant(Instant at = kNever) : KeptInstant(std::clamp(at.seconds, kLeast, kMost), at.nanos) {}

  operator Instant() const {
    const std::int64_t seconds = std::int64_t{seconds_high_} << 32 | std::uint32_t{seconds_low_};
    return seconds == kLeast ? kNever : Instant{seconds, nanos_};
  }

 private:
  // 40 bits; those of the years 0000 to 9999 take 39. The least is for kNever.
  static constexpr std::int64_t kLeast = -(std::int64_t{1} << 39), kMost = -(kLeast + 1);

  KeptInstant(std::int64_t seconds, std::uint32_t nanos)
      : seconds_low_(static_cast<std::uint32_t>(seconds)),
        nanos_(nanos),
        seconds_high_(static_cast<std::int8_t>(seconds >> 32)) {}

  Packed<std::uint32_t> seconds_low_, nanos_;
  std::int8_t seconds_high_;
};
static_assert(sizeof(KeptInstant) == 9);

}  // namespace sessionlogd
