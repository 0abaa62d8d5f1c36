// Decides when the output file is ended and the next one begun. Knows no files and no clock, so tests call it directly.
#pragma once

#include <chrono>
#include <cstddef>

#include "config/settings.h"
#include "sinks/file/file_journal.h"

namespace sessionlogd {

// Whether the file is to be ended before `bytes` more are written to it. An empty file never is.
bool rotation_is_due(const RotateSettings& settings, const OutputPosition& position, std::size_t bytes,
                     std::chrono::system_clock::time_point now);

}  // namespace sessionlogd
