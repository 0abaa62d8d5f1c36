// What systemd is told of the daemon's life, as sd_notify(3) says. The only door to libsystemd's notifications; nothing
// is told to nobody when another program started us.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sessionlogd {

class ServiceNotify {
 public:
  ServiceNotify();

  // The daemon has started. From here on the watchdog runs. Again after that changes nothing.
  void ready();

  // Every loop turns: feeds the watchdog, or, before ready(), asks for more time to start. To be called at least every
  // quarter of watchdog().
  void alive();

  // One line for people. Told when it changes.
  void status(std::string_view text);

  // Around a change of the configuration; before ready() systemd waits for that anyway.
  void reloading();
  void reloaded();

  void stopping();

  // How long systemd waits for alive(); nullopt: it does not watch.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  std::optional<std::chrono::microseconds> watchdog_;
  bool ready_ = false;
  std::string said_;
};

}  // namespace sessionlogd
