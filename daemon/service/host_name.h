// What this machine calls itself: agent.name of every event.
#pragma once

#include <string>

namespace sessionlogd {

std::string host_name();

}  // namespace sessionlogd
