// What Prometheus reads at /metrics. daemon/metrics.md documents every metric; a test holds the two against each other.
#pragma once

#include <string>

#include "daemon/admin/fleet_view.h"

namespace sessionlogd {

std::string metrics_text(const FleetView& view);

}  // namespace sessionlogd
