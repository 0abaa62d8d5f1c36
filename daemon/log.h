// The daemon's own log: stderr, plain on a terminal or in a file; when stderr is the journal, the journal itself, with
// priorities and fields.
#pragma once

#include <string_view>

namespace sessionlogd {

// `level`: trace, debug, info, warn or error.
void start_log(std::string_view level);

// From now on, on every thread.
void set_log_level(std::string_view level);

// For what is wrong before there is a log, and for people: as it is on stderr, as an error in the journal.
void print_error(std::string_view text);

}  // namespace sessionlogd
