// Finds out which output files are there, for output_match to decide.
#pragma once

#include <optional>
#include <string>

#include "sinks/file/output_file.h"
#include "sinks/file/output_match.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

// Of its first line, blank ones left out; nullptr: that is not ours, or there is none.
const Format* format_of(const OutputFile& output);

// `path` is sink.path, `current` the file there. Throws like OutputFile::open().
OutputsFound look_at_outputs(const std::string& path, const std::optional<OutputFile>& current,
                             const std::optional<OutputPosition>& position, FileOps& ops);

}  // namespace sessionlogd
