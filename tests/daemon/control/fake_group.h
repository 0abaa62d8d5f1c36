// A fleet on simulated time whose partitions are given to this process and taken away again, as a group of daemons
// would: without a broker. Real are the set of sources, the shards' sources down to their requests, and the queues with
// their memory. Of each partition a log is kept, with a fence as Kafka's: only the life that restored it last commits.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "daemon/control/source_set.h"
#include "tests/support/reckoning.h"
#include "tests/support/simulated_appliance.h"
#include "tests/support/simulated_http.h"
#include "tests/support/simulated_time.h"

namespace sessionlogd::test {

class FakeGroup {
 public:
  static constexpr std::size_t kPartitions = 4, kSources = 8, kShards = 2, kQueueBytes = 256u << 10;

  explicit FakeGroup(std::uint64_t seed);
  ~FakeGroup();

  // Lanes come and go at random moments, and the list is changed, until so many more have come.
  void run_until_lanes_came(std::size_t more);
  // Everything is given to this process, and the list names every source. Then time passes.
  void calm_down(std::chrono::minutes span);
  // Every lane ends, and the last poller with it.
  void end_all();

  // Entries that were shown ten minutes ago, and final forms of those that are final.
  std::size_t missing() const;
  const Reckoning& reckoning() const { return reckoning_; }
  std::size_t events() const { return events_; }
  // Sources that are polled, or still end.
  std::size_t pollers();
  // Lives whose queue somebody still holds.
  std::size_t lives_held();
  std::size_t queue_bytes() const { return memory_->bytes(); }
  std::size_t most_queue_bytes() const { return most_queue_bytes_; }

  // How often it happened.
  std::size_t lost_inside_a_step = 0, lost_before_a_commit = 0, held_inside_a_logout = 0, dropped_by_the_fence = 0,
              reloads_begun = 0, reloads_ended = 0, two_lives_at_once = 0;

 private:
  class Appliance;
  class Host;
  class LossyEncoder;
  struct Partition;
  // What a lane's thread holds: batches on their way to the log.
  struct Flight {
    std::shared_ptr<BatchQueue> queue;
    std::vector<Batch> batches;
    SteadyTime lands_at;
  };

  void tick();
  void tick(Partition& partition);
  void take_over(Partition& partition);
  void pump(Partition& partition);
  void land(Partition& partition, Flight& flight);
  void revoke(Partition& partition);
  void lose(Partition& partition);
  void end_lane(Partition& partition);
  void reload(std::vector<SourceSettings> list);
  std::vector<SourceSettings> some_of_the_list();
  void lost_in_a_step(std::size_t partition, const std::string& source);
  bool one_in(std::uint64_t n) { return random_() % n == 0; }
  SteadyTime in_up_to(std::chrono::milliseconds most);

  boost::asio::io_context io_{1};
  SimulatedTime time_;
  std::mt19937_64 random_;
  Traffic traffic_;
  const std::shared_ptr<QueueMemory> memory_;
  std::atomic<std::size_t> fingerprint_bytes_ = std::size_t{1} << 40;
  std::vector<std::unique_ptr<Appliance>> appliances_;
  std::vector<SourceSettings> list_;
  std::vector<Host*> hosts_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::optional<SourceSet> set_;
  std::vector<std::weak_ptr<BatchQueue>> lives_;
  SteadyTime next_reload_{};
  Reckoning reckoning_;
  std::size_t lanes_came_ = 0, events_ = 0, most_queue_bytes_ = 0;
  bool is_calm_ = false;
};

}  // namespace sessionlogd::test
