// Keeps a second process away from a file, and says who the first one is.
#pragma once

#include <string>

namespace sessionlogd {

// Takes the exclusive flock() of an open file, without waiting; it lasts until the descriptor is closed or the process
// ends. Throws InUse, naming `what` and the holder: `told_holder` when given, else the process id /proc/locks shows.
void lock_or_throw(int fd, const std::string& what, const std::string& told_holder = {});

}  // namespace sessionlogd
