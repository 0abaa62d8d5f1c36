#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "daemon/commands/admin_client.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/status_table.h"
#include "daemon/commands/with_settings.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kRedrawEvery{2};

Colour colour_of_output() {
  return ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr ? Colour::kTerminal : Colour::kNone;
}

std::size_t lines_on_screen() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row : 1'000'000;
}

int say_unreachable(const AdminAddress& address, const std::string& why) {
  fmt::print(stderr, "no daemon can be reached at {}: {}; is it running, and may this user reach it?\n", address.text(),
             why);
  return kNotReachable;
}

int show(const AdminAddress& address, StatusForm form) {
  const Result<std::string> status = ask_admin(address, "/status");
  if (status.has_error()) return say_unreachable(address, status.error().detail);
  const Result<StatusTable> table = status_table(*status, system_now(), colour_of_output());
  if (table.has_error()) return say_unreachable(address, table.error().detail);
  if (form == StatusForm::kJson) {
    fmt::print("{}", *status);
  } else if (form == StatusForm::kWatch) {
    fmt::print("\033[H\033[J{}", first_lines(table->text, lines_on_screen()));
  } else {
    fmt::print("{}", table->text);
  }
  std::fflush(stdout);
  return table->well ? kWell : kNotWell;
}

}  // namespace

int status(const std::string& config_file, StatusForm form) {
  const auto ask = [&](const Settings& settings) {
    if (!settings.daemon.admin) {
      fmt::print(stderr, "daemon.admin is \"\" in {}: this daemon cannot be asked\n", config_file);
      return kNotReachable;
    }
    for (;;) {
      const int how = show(*settings.daemon.admin, form);
      if (form != StatusForm::kWatch || how == kNotReachable) return how;
      std::this_thread::sleep_for(kRedrawEvery);
    }
  };
  return with_settings(config_file, ask, SecretFiles::kNotOpened);
}

}  // namespace sessionlogd
