// Commands that the running daemon carries out.
#pragma once

#include <string>

namespace sessionlogd {

// Hands `line` to the daemon of this configuration, prints what it answers, and returns the exit status.
int ask_running_daemon(const std::string& config_file, const std::string& line);

}  // namespace sessionlogd
