#include "core/base/time_zone.h"

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
  const std::chrono::nanoseconds offset =
      local.time_since_epoch() - zone_->to_sys(local, date::choose::earliest).time_since_epoch();
  return add_nanoseconds(time.instant, -offset.count()).value_or(time.instant);
}

}  // namespace sessionlogd
