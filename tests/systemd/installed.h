// What every test on a machine begins with: the package installed, a simulated fleet beside it, and the configuration
// to collect from it.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "tests/systemd/machine.h"

namespace sessionlogd::test {

class Installed : public testing::Test {
 protected:
  // In place of the other one: a test ends with its first wait in vain, or its time is that of all of them.
  static bool eventually(const std::function<bool()>& is_so) { return test::eventually(is_so, kMachineGuard); }

  // As an operator does it: apt takes the package only if all it depends on is there.
  void install(const std::string& package = "/package.deb");

  // A fleet that evolves for `seconds`, and its configuration in place. Its secret is /etc/sessionlogd/password.
  void serve(int seconds);

  // Writes a drop-in of the service.
  void add_drop_in(const std::string& lines);

  // A property of a unit, as `systemctl show` gives it.
  std::string show(const std::string& property, const std::string& unit = "sessionlogd.service");

  bool is_active() { return show("ActiveState") == "active"; }
  bool has_written(const std::string& output = "/var/log/sessionlogd/events.ndjson");

  // The fleet has frozen, and the output holds what it served, all of it once.
  bool agrees_in_the_end(std::string& table);

  std::string journal() { return machine_.get("journalctl --unit=sessionlogd --output=cat"); }

  Machine machine_;
};

}  // namespace sessionlogd::test
