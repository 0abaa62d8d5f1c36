// The keys of [sink] that only type = "file" has. With path = "-" that is standard output.
#pragma once

#include <string>

#include "config/key.h"
#include "config/read_context.h"
#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

const Keys<FileSinkSettings>& keys_of(const FileSinkSettings&);
const Keys<StdoutSinkSettings>& keys_of(const StdoutSinkSettings&);

SinkKind read_sink_of(TableReader& table, const ReadContext& context, FileSinkSettings sink);

// The path that nothing else may have.
std::string path_of(const FileSinkSettings& sink);
std::string path_of(const StdoutSinkSettings&);  // "": it has none

}  // namespace sessionlogd
