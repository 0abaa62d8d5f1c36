// Asks every source at once, as a command does: one after the other would take a time-out each where a site is down.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/api/api_client.h"
#include "core/async/task.h"

namespace sessionlogd {

// What is asked of the source of that number in the settings; returns what is wrong with it, "" = nothing.
using AskSource = std::function<Task<std::string>(ApiClient&, std::size_t)>;

// Tokens are handed back, which takes 3 s at most. A source that has not responded within `most` is not asked on, and
// its fault says so. Returns the faults, in the order of the settings.
std::vector<std::string> ask_sources(const Settings& settings, const AskSource& ask,
                                     std::optional<std::chrono::seconds> most = std::nullopt);

}  // namespace sessionlogd
