// All output files of a path, compressed ones unpacked, in the order in which they were written.
#pragma once

#include <string>
#include <vector>

namespace sessionlogd::test {

// The content of each. Both forms of one file must hold the same, or it throws.
std::vector<std::string> read_outputs(const std::string& path);

}  // namespace sessionlogd::test
