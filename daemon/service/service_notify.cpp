#include "daemon/service/service_notify.h"

#include <fmt/core.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sessionlogd {
namespace {

// From each alive() on, while the daemon reads back what it wrote: that may take minutes.
constexpr std::chrono::microseconds kMoreTimeToStart = std::chrono::seconds{60};

void tell(const std::string& state) { ::sd_notify(0, state.c_str()); }

// systemd compares it with its own, to know a reload that began before it asked for one from the one it asked for.
std::uint64_t monotonic_usec() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

ServiceNotify::ServiceNotify() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) > 0) watchdog_ = std::chrono::microseconds(microseconds);
}

void ServiceNotify::ready() {
  if (!std::exchange(ready_, true)) tell("READY=1");
}

void ServiceNotify::alive() {
  tell(ready_ ? "WATCHDOG=1" : fmt::format("EXTEND_TIMEOUT_USEC={}", kMoreTimeToStart.count()));
}

void ServiceNotify::status(std::string_view text) {
  if (text == said_) return;
  said_ = text;
  std::string line = "STATUS=" + said_;
  std::replace(line.begin(), line.end(), '\n', ' ');  // what follows one would be another assignment
  tell(line);
}

void ServiceNotify::reloading() {
  if (ready_) tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_usec()));
}

void ServiceNotify::reloaded() {
  if (ready_) tell("READY=1");
}

void ServiceNotify::stopping() { tell("STOPPING=1"); }

}  // namespace sessionlogd
