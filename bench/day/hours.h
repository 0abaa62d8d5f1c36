// A day of a whole fleet by the daemon's own sources, hour by hour: requests, lateness, ages, heap and processor time.
#pragma once

#include <string>

#include "bench/day/plan.h"

namespace sessionlogd {

// Prints an hour a line; returns all figures as JSON. With `beside_fixed` some of the appliances are then polled
// through the same day at a fixed interval.
std::string hours_of(const DayShape& shape, bool beside_fixed);

}  // namespace sessionlogd
