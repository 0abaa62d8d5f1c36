// Which sink and which format the configuration asks for.
#pragma once

#include <memory>
#include <stop_token>
#include <string_view>

#include "config/settings.h"
#include "core/base/freeze_guard.h"
#include "core/entries/event.h"
#include "core/state/delivered_reader.h"
#include "core/state/lane_group.h"
#include "core/state/sink.h"
#include "core/state/sink_acts.h"

namespace sessionlogd {

// Touches nothing yet: files are opened, brokers asked by Sink::recover(). Waiting in the sink ends soon after `stop`
// is requested. Throws WrongSetting.
std::unique_ptr<Sink> make_sink(const Settings& settings, std::stop_token stop = {});

// nullptr: the configuration asks for none. Throws WrongSetting and SecretError. `guard` must stay.
std::unique_ptr<LaneGroup> make_group(const Settings& settings, FreezeGuard& guard);

// Does nothing yet.
std::unique_ptr<SinkActs> acts_of(const Settings& settings);

// nullptr: what this sink has delivered cannot be read again. Throws WrongSetting and SecretError.
std::unique_ptr<DeliveredReader> make_delivered_reader(const Settings& settings);

// For the events of one source. `host` is this host's name, `version` the daemon's.
std::unique_ptr<Encoder> make_encoder(const SourceSettings& source, const SinkSettings& sink, std::string_view host,
                                      std::string_view version);

}  // namespace sessionlogd
