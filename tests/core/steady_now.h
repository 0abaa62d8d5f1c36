// The moment at which tests that bring their own time begin.
#pragma once

#include "core/base/clock.h"

namespace sessionlogd {

inline constexpr SteadyTime kNow{std::chrono::hours{1000}};

}  // namespace sessionlogd
