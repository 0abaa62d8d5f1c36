// The responses in JSON: /status, whose names others rely on, /readyz and /healthz, and what the page draws.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "daemon/admin/fleet_view.h"
#include "daemon/admin/observatory.h"
#include "daemon/admin/recent_trouble.h"

namespace sessionlogd {

std::string status_json(const FleetView& view);
std::string reasons_json(std::string_view name, const std::vector<std::string>& reasons);
std::string recent_json(const std::deque<HistoryPoint>& history, const std::vector<Trouble>& troubles);

}  // namespace sessionlogd
