// Checks the time zone a source is given for times it writes without one.
#pragma once

#include <string_view>

#include "config/settings.h"

namespace sessionlogd {

// "UTC", an offset like "+02:00" (up to 14 hours), or a zone of the system's tz database like "Europe/Berlin". Throws
// ValueError.
TimeZone parse_time_zone(std::string_view text);

}  // namespace sessionlogd
