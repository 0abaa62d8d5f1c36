// Which sink the configuration asks for.
#pragma once

#include <memory>

#include "config/settings.h"
#include "core/sink.h"

namespace sessionlogd {

// Touches nothing yet: files are opened by Sink::recover().
std::unique_ptr<Sink> make_sink(const Settings& settings);

}  // namespace sessionlogd
