// What a failed system call on the output means: whether waiting helps.
#pragma once

#include <string_view>

namespace sessionlogd {

// No room now: a full disk, an exhausted quota, a limit on the size of files, a file system that was made read-only.
bool is_out_of_room(int error);

// Throws TryLater when there is no room, WrongSetting when such a path can never be written, std::runtime_error
// otherwise. `what` is a whole clause: "output X cannot be
// made".
[[noreturn]] void throw_storage_error(std::string_view what, int error);

}  // namespace sessionlogd
