#include "core/time_zone.h"

#include <date/tz.h>

namespace sessionlogd {

ZoneRules::ZoneRules(const TimeZone& zone) {
  if (zone.fixed_offset) {
    fixed_offset_ns_ = std::chrono::duration_cast<std::chrono::nanoseconds>(*zone.fixed_offset).count();
  } else {
    zone_ = date::locate_zone(zone.name);
  }
}

Instant ZoneRules::to_utc(const ReadTime& time) const {
  if (time.zoned) return time.instant;
  if (zone_ == nullptr) return add_nanoseconds(time.instant, -fixed_offset_ns_).value_or(time.instant);
  const date::local_seconds local{std::chrono::seconds{time.instant.seconds}};
  const auto utc = zone_->to_sys(local, date::choose::earliest);
  const std::int64_t shift = utc.time_since_epoch().count() - time.instant.seconds;
  return add_nanoseconds(time.instant, shift * 1'000'000'000).value_or(time.instant);
}

}  // namespace sessionlogd
