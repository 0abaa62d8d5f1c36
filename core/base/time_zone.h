// Turns a time as a source wrote it into an instant: only a time without a zone depends on the source's `time_zone`.
#pragma once

#include "config/settings.h"
#include "core/base/timestamp.h"

namespace date {
class time_zone;
}

namespace sessionlogd {

class ZoneRules {
 public:
  // Throws std::runtime_error when the tz database does not know the zone.
  explicit ZoneRules(const TimeZone& zone);

  // Local times that stand twice (clocks set back) are the first; ones that never were (set forward) the moment of the
  // change. Outside the years 0000 to 9999 the time is kept as if it were UTC.
  Instant to_utc(const ReadTime& time) const;

 private:
  std::int64_t fixed_offset_ns_ = 0;
  const date::time_zone* zone_ = nullptr;  // lives as long as the program
};

}  // namespace sessionlogd
