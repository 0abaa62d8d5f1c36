// An Instant in 12 bytes instead of 16: every session that is remembered has several.
#pragma once

#include <cstdint>

#include "core/packed.h"
#include "core/timestamp.h"

namespace sessionlogd {

// Before all others: of what has not happened.
inline constexpr Instant kNever{INT64_MIN};

class KeptInstant {
 public:
  KeptInstant(Instant at = kNever) : seconds_(at.seconds), nanos_(at.nanos) {}
  operator Instant() const { return {seconds_, nanos_}; }

 private:
  Packed<std::int64_t> seconds_;
  std::uint32_t nanos_;
};

}  // namespace sessionlogd
