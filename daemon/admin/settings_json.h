// The configuration in force, as /status shows it: keys and values as they are written in the file, every default
// filled in, and of a secret only where it is read from.
#pragma once

#include "config/settings.h"
#include "daemon/admin/json_writer.h"

namespace sessionlogd {

// Each an object: the keys of [daemon] and of [sink].
void write_settings(JsonWriter& json, const DaemonSettings& daemon);
void write_settings(JsonWriter& json, const SinkSettings& sink);

// What sources may have in common, as one of them has it.
void write_usual_settings(JsonWriter& json, const SourceSettings& usual);

// The keys of a [[source]] beside its name, id, dialect and url, where they say anything else than `usual`: there may
// be thousands, and most are alike.
void write_settings(JsonWriter& json, const SourceSettings& source, const SourceSettings& usual);

}  // namespace sessionlogd
