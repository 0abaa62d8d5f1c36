#include "tests/systemd/machine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace sessionlogd::test {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(fmt::format("{} is not set: run ./dev boot", name));
  return value;
}

std::vector<std::string> nspawn(const std::string& exchange) {
  return {"/usr/bin/systemd-nspawn",
          "--quiet",
          "--keep-unit",
          "--register=no",
          "--private-network",
          "--volatile=overlay",
          "--console=pipe",
          fmt::format("--machine=sessionlogd-test-{}", ::getpid()),
          "--directory=" + variable("SESSIONLOGD_ROOT"),
          "--bind=" + exchange + ":/exchange",
          "--bind-ro=" + variable("SESSIONLOGD_PACKAGE") + ":/package.deb",
          "--bind-ro=" FLEET_SIM ":/usr/local/bin/fleet_sim",
          "--boot"};
}

// 0: there is none yet.
pid_t only_child_of(pid_t parent) {
  pid_t child = 0;
  std::istringstream(read_text(fmt::format("/proc/{0}/task/{0}/children", parent))) >> child;
  // nspawn's first child is another one, which ends when it has made process 1: the innermost of its two ids.
  const std::string status = read_text(fmt::format("/proc/{}/status", child));
  return status.find(fmt::format("\nNSpid:\t{}\t1\n", child)) != std::string::npos ? child : 0;
}

}  // namespace

Machine::Machine() : nspawn_(place_.start_program(nspawn(place_.directory().string()))) {
  std::filesystem::permissions(place_.directory(), std::filesystem::perms(0755));
  const bool booted = eventually(
      [&] {
        if (init_ == 0) init_ = only_child_of(nspawn_.pid());
        return !nspawn_.is_running() ||
               (init_ != 0 && is_so("systemctl is-system-running --wait | grep -qx -e running -e degraded"));
      },
      kMachineGuard);
  if (!booted || !nspawn_.is_running())
    throw std::runtime_error("the machine does not boot: " + nspawn_.out() + nspawn_.err());
}

// An orderly shutdown; Child kills it when that takes longer than a service that hangs may delay a test's end.
Machine::~Machine() {
  nspawn_.signal(SIGTERM);
  nspawn_.wait(std::chrono::seconds(5));
}

Outcome Machine::run(const std::string& commands) {
  Child shell = place_.start_program(
      {"/usr/bin/nsenter", "--all", fmt::format("--target={}", init_), "--", "/bin/sh", "-c", commands},
      {"LC_ALL=C.UTF-8", "SYSTEMD_PAGER=", "DEBIAN_FRONTEND=noninteractive"});
  const int status = shell.wait(kMachineGuard);
  return {status, shell.out(), shell.err()};
}

std::string Machine::get(const std::string& commands) {
  Outcome outcome = run(commands);
  if (outcome.status != 0)
    throw std::runtime_error(
        fmt::format("`{}` ends with {}: {}{}", commands, outcome.status, outcome.out, outcome.err));
  if (outcome.out.ends_with('\n')) outcome.out.pop_back();
  return outcome.out;
}

}  // namespace sessionlogd::test
