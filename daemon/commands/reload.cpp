#include "daemon/commands/ask_running_daemon.h"
#include "daemon/commands/commands.h"

namespace sessionlogd {

int reload(const std::string& config_file) { return ask_running_daemon(config_file, "reload"); }

}  // namespace sessionlogd
