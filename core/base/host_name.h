// What this machine calls itself: agent.name of every event, and how a daemon is told from others.
#pragma once

#include <string>

namespace sessionlogd {

// "unknown" if it has no name.
std::string host_name();

}  // namespace sessionlogd
