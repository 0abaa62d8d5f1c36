// The two clocks. Decisions take times as arguments, so that tests bring their own.
#pragma once

#include <chrono>

namespace sessionlogd {

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;

}  // namespace sessionlogd
