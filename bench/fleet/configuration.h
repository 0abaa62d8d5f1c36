// The daemon's configuration for a fleet, so that a demonstration is two commands.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/fleet/fleet.h"

namespace fleet {

using PollOptions =
    std::vector<std::pair<std::string, std::string>>;  // key, value as a person writes it: interval, 250ms

// Splits "interval=250ms"; throws std::invalid_argument without an equals sign.
std::pair<std::string, std::string> read_poll_option(const std::string& text);

// What the daemon is told to keep to.
Allowance allowance_of(const PollOptions& poll);

// The whole file. `folder` is absolute; password and CA certificate lie in it.
std::string daemon_configuration(const std::string& folder, const std::vector<Endpoint>& endpoints,
                                 const PollOptions& poll, const std::string& username, bool tls);

}  // namespace fleet
