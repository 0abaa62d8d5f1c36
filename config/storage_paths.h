// What stands at the paths that the daemon is to write to, as far as it rules them out for good: a person must choose
// another path or remove what is there, and no restart helps.
#pragma once

#include <string>

namespace sessionlogd {

// Why there can be no output file at `path` (absolute), as "found ..., expected ..."; "" when there can. Nothing there
// is fine in a directory that is there, or that the unit makes, and so is what cannot be examined now.
std::string find_fault_of_output(const std::string& path);

// The same for a directory that is made if it is missing. A link to one is fine.
std::string find_fault_of_directory(const std::string& path);

}  // namespace sessionlogd
