// The configuration in force, as /status shows it: keys and values as they are written in the file, every default
// filled in, and of a secret only where it is read from.
#pragma once

#include "config/settings.h"
#include "daemon/json_writer.h"

namespace sessionlogd {

// Each an object: the keys of [daemon], of [sink], and of a [[source]] beside its name, id, dialect and url.
void write_settings(JsonWriter& json, const DaemonSettings& daemon);
void write_settings(JsonWriter& json, const SinkSettings& sink);
void write_settings(JsonWriter& json, const SourceSettings& source);

}  // namespace sessionlogd
