// What an operator does by hand with the state of a file sink while no daemon runs: make it anew from the output, or
// start afresh. The state that was there is moved aside, never removed. `format` is that of the configuration: files
// may be of others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/state/sink.h"
#include "sinks/file/file_ops.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

struct NewState {
  std::vector<std::string> moved_aside;  // where the files of the old state are now
  std::int64_t first_file = 1;           // of the output: what stands before it is not known to the new state
  bool gap_before = false;               // there are older files, but not the one before
};

// State that knows every event of the output, as far back as the files reach without a gap. `into` is told of them as
// in Sink::recover(). Killed in between, the next start of the daemon goes on where this ended. Throws like
// Sink::recover(), and std::runtime_error when there is no output.
NewState rebuild_state(const std::string& state_dir, const FileSinkSettings& settings, const Format& format,
                       StateVisitor& into, FileOps& ops = FileOps::system());

// State that knows nothing, at the end of the output. Throws like Sink::recover().
NewState init_state(const std::string& state_dir, const FileSinkSettings& settings, const Format& format,
                    FileOps& ops = FileOps::system());

}  // namespace sessionlogd
