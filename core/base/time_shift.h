// A source may begin to write its times in another zone than before: it has them in UTC and renders them by today's
// offset, or it renders local times and then UTC. Then all times of a session are later, or earlier, by the same
// multiple of 15 minutes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/timestamp.h"

namespace sessionlogd {

struct TimeShift {
  static constexpr int kMost = 26 * 4;  // from the westernmost zone to the easternmost

  std::int8_t quarters = 0;  // of an hour, by which times are later

  explicit operator bool() const { return quarters != 0; }
  std::chrono::minutes span() const { return std::chrono::minutes{15 * quarters}; }
  Instant before(Instant shifted) const { return {shifted.seconds - 15 * 60 * quarters, shifted.nanos}; }

  friend bool operator==(const TimeShift&, const TimeShift&) = default;
};

// nullopt: no two zones are so far apart.
inline std::optional<TimeShift> sum(TimeShift a, TimeShift b) {
  const int quarters = a.quarters + b.quarters;
  if (quarters < -TimeShift::kMost || quarters > TimeShift::kMost) return std::nullopt;
  return TimeShift{static_cast<std::int8_t>(quarters)};
}

}  // namespace sessionlogd
