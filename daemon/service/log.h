// The daemon's own log: stderr, plain on a terminal or in a file; when stderr is the journal, the journal itself, with
// priorities and fields.
#pragma once

#include <string_view>

#include "core/base/clock.h"

namespace sessionlogd {

// `level`: trace, debug, info, warn or error.
void start_log(std::string_view level);

// From now on, on every thread.
void set_log_level(std::string_view level);

// Writes what stands for lines of many sources that said the same (daemon/line_groups). To be called about once a
// second, on any thread, and at the end.
void say_grouped_lines(SteadyTime now);

// For what is wrong before there is a log, and for people: as it is on stderr, as an error in the journal.
void print_error(std::string_view text);

}  // namespace sessionlogd
