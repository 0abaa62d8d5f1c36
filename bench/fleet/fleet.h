// The fleet as a running thing: threads, listening sockets, the moment it freezes. Each appliance belongs to one thread
// and only that thread touches it while the fleet runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/fleet/appliance.h"
#include "bench/fleet/ledger.h"
#include "bench/fleet/plan.h"

namespace fleet {

struct Setting {
  std::size_t threads = 1;
  std::size_t dead = 0;  // the last so many appliances: see Nature::is_dead
  bool tls = false;
  bool many_addresses = false;  // 127.0.x.y instead of 127.0.0.1
  std::size_t doors = 0;        // each appliance also listens at 127.0.1.1 to .doors, so that it can tell clients apart
  std::uint64_t cache_bytes = 512u << 20;  // rendered bodies, all threads together
};

struct Endpoint {
  std::string source;
  Dialect dialect;
  std::string url;
  bool has_short_retention = false;  // so that done sessions are soon forgotten
};

class Fleet {
 public:
  // Binds every socket; throws boost::system::system_error when that fails. `plan` and `conduct` are copied.
  Fleet(const Plan& plan, const Conduct& conduct, const Setting& setting);
  ~Fleet();

  void start();
  // Sessions and entries end now and faults stop; returns when the last moment before it is over.
  void freeze();
  void stop();

  const std::vector<Endpoint>& endpoints() const;
  const std::string& ca_pem() const;
  const std::string& control_url() const;
  bool frozen() const;
  // What was served so far, asked of every thread in turn. Only while the fleet runs.
  std::vector<ApplianceRecord> records();
  void write_ledger(const std::string& path);
  // Who came when: only where Conduct::keeps_visits.
  void write_visits(const std::string& path);
  // {"frozen":...,"all_polled_since":...,"requests":...,"log_answers":...,"sessions":...,"read_to_end":...,"caught_up":...}
  std::string status() const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace fleet
