// The daemon's own log: stderr, plain on a terminal or in a file, with syslog priorities ("<4>...") when stderr is the
// journal.
#pragma once

#include <string_view>

namespace sessionlogd {

// `level`: trace, debug, info, warn or error.
void start_log(std::string_view level);

// From now on, on every thread.
void set_log_level(std::string_view level);

}  // namespace sessionlogd
