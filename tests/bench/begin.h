// The moment at which the simulated fleet of a test begins.
#pragma once

#include "bench/fleet/times.h"

namespace fleet {

inline constexpr Nanos kBegin = 1'800'000'000 * kSecond;

}  // namespace fleet
