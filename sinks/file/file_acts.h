// What is done to a file sink, beside running it.
#pragma once

#include <memory>

#include "config/settings.h"
#include "core/state/sink_acts.h"

namespace sessionlogd {

std::unique_ptr<SinkActs> make_acts(const FileSinkSettings& sink, const Settings& settings);

}  // namespace sessionlogd
