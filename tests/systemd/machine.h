// A whole machine with its own systemd, booted by systemd-nspawn: its root is that of tests/systemd/make_root, and what
// it writes there is forgotten when it ends. It has no network but its own loopback.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/daemon/workplace.h"

namespace sessionlogd::test {

// What a machine is waited for, in place of kHangGuard: nothing here runs under a sanitizer, and a test that waits in
// vain shall end.
inline constexpr std::chrono::seconds kMachineGuard{25};

class Machine {
 public:
  // Has booted when it returns. SESSIONLOGD_ROOT and SESSIONLOGD_PACKAGE name the root and the package, which is
  // /package.deb in it; fleet_sim is in its path.
  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Runs a shell's commands in it, as root. Ended when that takes longer than kMachineGuard.
  Outcome run(const std::string& commands);

  // The same, which must go well: what it printed, without the last "\n".
  std::string get(const std::string& commands);

  // Whether it goes well.
  bool is_so(const std::string& commands) { return run(commands).status == 0; }

  // A folder that is /exchange in it.
  const std::filesystem::path& exchange() const { return place_.directory(); }

 private:
  Workplace place_;
  Child nspawn_;
  pid_t init_ = 0;  // its process 1, as we see it
};

}  // namespace sessionlogd::test
