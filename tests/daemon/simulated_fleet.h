// bench/fleet_sim as a child process: a fleet of appliances, the configuration to collect from it, and the judge.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/daemon/workplace.h"

namespace sessionlogd::test {

// How long the longest evolution of a test lasts: SESSIONLOGD_E2E_SECONDS, 15 if unset; 30 is the long form.
double evolution_seconds();

// The format of campaigns: SESSIONLOGD_FORMAT, ecs if unset. As a line for [sink].
std::string format_of_campaigns();

// The daemon of a version before, whose state and output this one reads on (`./dev upgrade BINARY`); nullptr: none was
// given.
const char* version_before();

class SimulatedFleet {
 public:
  // Ready when it returns: the workplace holds the configuration. `options` are those of `fleet_sim serve`.
  SimulatedFleet(Workplace& place, std::vector<std::string> options);

  bool is_frozen() const { return says("\"frozen\":true"); }

  // Frozen, and the last state of every session was read.
  bool is_caught_up() const { return says("\"caught_up\":true"); }

  // What it counts: "requests", "log_answers".
  std::uint64_t count(const std::string& name) const;

  // Whether the output, in the format() that is configured, holds what has been served up to now; `table` says what
  // differs.
  bool agrees(const std::vector<std::string>& how, std::string* table = nullptr);

  // Ends the fleet, which then writes its last ledger, and judges by that.
  bool agrees_at_the_end(const std::vector<std::string>& how, std::string& table);

  // Has it write its ledger, and who came when beside it where it has --doors.
  bool write_books();

  // After its end, where it has --doors: how several daemons shared it, by `fleet_sim sharing`.
  bool is_shared_well(const std::vector<std::string>& limits, std::string& table);

  const std::string& first_url() const { return first_url_; }
  std::string first_source() const;  // its name in the configuration
  std::string format() const;        // of the output, as the configuration has it now

 private:
  bool says(const std::string& text) const;
  std::size_t ledgers_written() const;
  bool reckon(const std::vector<std::string>& how, std::string* table);
  bool judge(std::vector<std::string> command, const std::vector<std::string>& more, std::string* table);

  Workplace& place_;
  Child child_;
  std::string first_url_;
  unsigned short control_port_ = 0;
};

// The last `count` sources, which never respond, are given up soon; the others have all the time they may need.
void expect_little_of_the_last(const Workplace& place, int count);

}  // namespace sessionlogd::test
