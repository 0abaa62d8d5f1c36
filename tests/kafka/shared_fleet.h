// Several daemons that share one fleet: each with a folder of its own, the same file but for the folders and the
// address at which it calls the appliances, by which the fleet tells who came. Only the binary, the file and Kafka are
// looked at.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/daemon/simulated_fleet.h"
#include "tests/daemon/workplace.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/outside.h"

namespace sessionlogd::test {

// Of the system's clock, as the fleet counts.
std::int64_t now_ns();

class SharedFleet {
 public:
  // `fleet` are options of `fleet_sim serve`. `identity` is what [sink] says of who commits: `group = "g"`, or, for one
  // daemon, `transactional_id = "t"`.
  SharedFleet(Cluster& cluster, const std::string& name, std::size_t members, std::vector<std::string> fleet,
              const std::string& identity);

  std::size_t size() const { return members_.size(); }
  bool runs(std::size_t member) const { return members_[member]->process.has_value(); }
  Child& process(std::size_t member) { return *members_[member]->process; }
  bool has_lost_one();  // a daemon that ended by itself

  void start(std::size_t member);
  void kill(std::size_t member);  // throws std::runtime_error when it had ended before
  // Its exit status.
  int stop(std::size_t member);
  void freeze(std::size_t member);  // has stopped when it returns
  void thaw(std::size_t member);

  // Every source had a request of somebody since then.
  bool is_polled_since(std::int64_t ns) const;
  // Waits for that; false also as soon as a daemon has ended by itself.
  bool wait_until_polled_since(std::int64_t ns);
  // Whose requests came last before `at`, of the sources that had one within 5 s; then, of each, how long until the
  // first by somebody else who need not wait, having logged in there within 30 s before. -1: nobody.
  std::vector<double> taken_over_after(std::int64_t at, std::size_t from);

  // Frozen, and the last state of every session was read.
  bool wait_until_all_is_read();

  // Whether the output, as a read_committed reader sees it, agrees with the ledger by now.
  bool agrees();
  // Waits until everything was read and committed, then ends everybody, and the fleet. What was not right, by both of
  // its books; `table` is what they say.
  std::vector<std::string> finish(std::uint64_t rate, std::string& table);

  // What a command says that is run with a member's file.
  Outcome ask(std::size_t member, const std::string& command) { return members_[member]->place.run(command); }
  std::string everything_said() const;

  const std::string topic, state_topic;
  Outside outside;

 private:
  struct Member {
    Workplace place;
    std::optional<Child> process;
    bool was_stopped = false;  // in good order
  };
  struct Came {
    std::int64_t at;
    std::string who;
    bool is_login;
  };

  std::string door(std::size_t member) const;
  void note(const std::string& option, std::size_t member);
  void give_file(std::size_t member);
  void show_judge();
  std::map<std::string, std::vector<Came>> visits();

  Workplace place_;
  SimulatedFleet fleet_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::string> moments_;  // as options of `fleet_sim sharing`
};

}  // namespace sessionlogd::test
