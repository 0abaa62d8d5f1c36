// Calls that wait for brokers stand on a thread of their own, so that this one can be told to stop.
#pragma once

#include <functional>
#include <stop_token>

#include "core/base/result.h"

namespace sessionlogd {

// `tell` is called again and again meanwhile; what it throws ends `work` by way of `life` and is thrown. Throws what an
// Error means at start.
void wait_telling(const std::function<Result<void>()>& work, const std::function<void()>& tell, std::stop_source& life);

}  // namespace sessionlogd
