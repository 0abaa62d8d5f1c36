// Reads a whole output, rotated and compressed files included, without changing anything: also while a daemon writes
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/state/sink.h"

namespace sessionlogd {

struct ScannedOutput {
  std::uint64_t files = 0;
  std::uint64_t events = 0;    // lines that are ours
  bool from_the_first = true;  // false: older files were removed
};

// `output` is sink.path. Calls `take` for every event, oldest file first; a line that is not ended yet is left out.
// Throws std::runtime_error when a file cannot be read.
ScannedOutput scan_output(const std::string& output, const std::function<void(const Delivered&)>& take);

}  // namespace sessionlogd
