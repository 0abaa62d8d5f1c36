// Reads a compressed output file forward, as output_recovery does with a plain one. It was whole and synced when it was
// compressed, so nothing in it is written back or blanked. Only needed when the state is older than the file: put back
// from a copy, or rebuilt.
#pragma once

#include <string>

#include "sinks/file/output_recovery.h"

namespace sessionlogd {

// Moves `position`, an offset in the uncompressed content, to its end, and commits it, with the format of the last line
// that is ours. Throws StateMismatch when no
// line ends there, std::runtime_error when the file is damaged or storage fails.
Recovered read_compressed(const std::string& path, FileJournal& journal, StateVisitor& visitor,
                          OutputPosition& position, RecoveryProgress& progress, RecoveryLimits limits = {});

}  // namespace sessionlogd
