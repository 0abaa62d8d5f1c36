// What one test of the Kafka sink works in: topics of its own on the suite's cluster, a fleet, the daemon's
// configuration, and the judge, who is shown what an outside reader sees.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/daemon/simulated_fleet.h"
#include "tests/daemon/workplace.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/outside.h"

namespace sessionlogd::test {

// Waits until the daemon's log holds the text.
bool says(const Child& daemon, const std::string& text);

class Bed {
 public:
  // `fleet` are options of `fleet_sim serve`; `keys` is added to [sink].
  Bed(Cluster& cluster, const std::string& name, std::vector<std::string> fleet, const std::string& keys = "");

  Child start(const std::string& command = "run") { return place.start(command); }

  // Wait until the daemon tells of this trouble with its sink, or of none any more. Its log, looked at from byte
  // `since` on, has the first reason alone, and on a busy machine that may be a broker which took too long; the present
  // one stands at its admin address.
  bool is_told(const Child& daemon, const std::string& trouble, std::size_t since = 0) const;
  bool is_well() const;

  // What the outside reader sees, also written where the judge looks for it.
  std::vector<Message> read();

  // Until everything served is committed, then to the end: the ledger must agree.
  void finish(Child& daemon, const std::vector<std::string>& how = {});

  bool agrees(const std::vector<std::string>& how = {});

  const std::string topic, state_topic;
  Workplace place;
  Outside outside;
  SimulatedFleet fleet;

 private:
  // Its status, once everything served is committed.
  int end(Child& daemon, const std::vector<std::string>& how);
};

}  // namespace sessionlogd::test
