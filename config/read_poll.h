// The keys of [poll] and of the [source.poll] tables that override it.
#pragma once

#include "config/key.h"
#include "config/read_context.h"
#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

const Keys<PollSettings>& poll_keys();

// Overwrites what the table names; values that contradict each other or exceed daemon.memory are reported at the key
// given here.
void read_poll(TableReader& table, const ReadContext& context, PollSettings& into);

}  // namespace sessionlogd
