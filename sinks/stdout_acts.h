// What is done to standard output, which keeps no state, beside running it.
#pragma once

#include <memory>

#include "config/settings.h"
#include "core/state/sink_acts.h"

namespace sessionlogd {

std::unique_ptr<SinkActs> make_acts(const StdoutSinkSettings& sink, const Settings& settings);

}  // namespace sessionlogd
