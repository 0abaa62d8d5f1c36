// A broker, three daemons that share a simulated fleet, and the death of one of them: what a survivor's status says
// before and after, how long its sources were without anybody, and the reckoning of the output by the fleet's ledger.
//
// group_demo [SECONDS]: how long the fleet evolves. Exit 0: everything was as it must be.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "tests/kafka/shared_fleet.h"

namespace sessionlogd::test {
namespace {

constexpr std::uint64_t kRate = 50;
constexpr std::size_t kMembers = 3, kDies = 0, kSurvives = 1;

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void show_status(SharedFleet& fleet) {
  const Outcome status = fleet.ask(kSurvives, "status");
  say(fmt::format("\n$ sessionlogd status    (on the second host; exit status {})\n{}{}", status.status, status.out,
                  status.err));
}

// What was not right.
std::vector<std::string> show_a_death(SharedFleet& fleet) {
  say("The first daemon is killed (SIGKILL).");
  const std::int64_t at = now_ns();
  fleet.kill(kDies);
  const bool all_polled = fleet.wait_until_polled_since(at);
  std::vector<double> taken = fleet.taken_over_after(at, kDies);
  std::ranges::sort(taken);
  if (!all_polled || taken.empty() || taken.front() < 0) return {"not all of its sources were taken over"};
  say(fmt::format("The other two poll its {} sources again, the first after {:.1f} s, the last after {:.1f} s.",
                  taken.size(), taken.front(), taken.back()));
  return {};
}

int run(const std::string& duration) {
  Cluster cluster(ClusterSettings{});
  SharedFleet fleet(cluster, "session-logs", kMembers,
                    {"--appliances", "60", "--sessions", "5", "--entries", "40", "--dialect", "both", "--duration",
                     duration, "--max-lifetime", "900", "--poll", fmt::format("rate={}/s", kRate)},
                    "group = \"demo\"");
  for (std::size_t member = 0; member < kMembers; ++member) fleet.start(member);
  say("A broker, 60 simulated appliances, and three daemons with the same file.");
  if (!fleet.wait_until_polled_since(now_ns())) {
    say("but not every source is polled:\n" + fleet.everything_said());
    return 1;
  }
  show_status(fleet);
  std::vector<std::string> wrong = show_a_death(fleet);
  show_status(fleet);
  std::string table;
  for (std::string& each : fleet.finish(kRate, table)) wrong.push_back(std::move(each));
  say("The reckoning, by the fleet's own ledger:\n" + table);
  for (const std::string& each : wrong) say("WRONG: " + each);
  if (!wrong.empty()) say(fleet.everything_said());
  return wrong.empty() ? 0 : 1;
}

}  // namespace
}  // namespace sessionlogd::test

int main(int argc, char** argv) {
  try {
    return sessionlogd::test::run(argc > 1 ? argv[1] : "40");
  } catch (const std::exception& error) {
    fmt::print(stderr, "group_demo: {}\n", error.what());
    return 1;
  }
}
