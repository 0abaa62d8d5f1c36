#include "daemon/commands/ask_running_daemon.h"

#include <fmt/core.h>

#include <cstdio>
#include <sstream>

#include "core/base/printable.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/with_settings.h"
#include "daemon/control/control_socket.h"

namespace sessionlogd {
namespace {

// An answer's lines are the daemon's own, what stands in them may be an appliance's or a file's.
void print_lines(std::FILE* to, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) fmt::print(to, "{}\n", printable(line));
}

int print(const ControlAnswer& answer, const std::string& state_dir) {
  switch (answer.outcome) {
    case ControlAnswer::Outcome::kOk:
      print_lines(stdout, answer.text);
      return kWell;
    case ControlAnswer::Outcome::kFailed:
      print_lines(stderr, answer.text);
      return kNotWell;
    case ControlAnswer::Outcome::kUnreachable:
      fmt::print(stderr, "no daemon can be reached at {}: {}; is it running, and may this user open the socket?\n",
                 control_socket_in(state_dir), answer.text);
      return kNotReachable;
  }
  return kNotWell;
}

}  // namespace

int ask_running_daemon(const std::string& config_file, const std::string& line) {
  const auto ask = [&](const Settings& settings) {
    return print(ask_daemon(settings.daemon.state_dir, line), settings.daemon.state_dir);
  };
  return with_settings(config_file, ask, SecretFiles::kNotOpened);
}

}  // namespace sessionlogd
