// The keys of [daemon].
#pragma once

#include "config/key.h"
#include "config/read_context.h"
#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

const Keys<DaemonSettings>& daemon_keys();

void read_daemon(TableReader& table, const ReadContext& context, DaemonSettings& into);

}  // namespace sessionlogd
