// The keys of a [[source]].
#pragma once

#include "config/key.h"
#include "config/read_context.h"
#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

const Keys<SourceSettings>& source_keys();

// The result is complete only when nothing was reported.
SourceSettings read_source(TableReader& table, const ReadContext& context);

}  // namespace sessionlogd
