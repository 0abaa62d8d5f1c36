// Which sink the configuration asks for.
#pragma once

#include <memory>
#include <stop_token>

#include "config/settings.h"
#include "core/sink.h"

namespace sessionlogd {

// Touches nothing yet: files are opened, brokers asked by Sink::recover(). Waiting in the sink ends soon after `stop`
// is requested. Throws WrongSetting.
std::unique_ptr<Sink> make_sink(const Settings& settings, std::stop_token stop = {});

}  // namespace sessionlogd
