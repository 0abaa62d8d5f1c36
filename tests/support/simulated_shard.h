// A shard on simulated time: sources as the daemon has them, from the poller down to the requests, on one io_context
// without a thread, a socket or a disk. What was committed can be kept, for a source that begins again with it, and for
// the reckoning. What it leaves out: core/shard (the thread), core/http_client, the committer,
// the encoder's format and the sink.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "core/polling/source_poller.h"
#include "tests/support/reckoning.h"
#include "tests/support/simulated_appliance.h"
#include "tests/support/simulated_time.h"

namespace sessionlogd::test {

class SimulatedShard {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::chrono::milliseconds tick{50};   // a divisor of a second, or whole seconds: then a commit takes as long
    bool remembers = false;               // what is committed
    std::chrono::milliseconds verify{0};  // 0 = off
    std::size_t fingerprint_bytes = std::size_t{1} << 40;
    std::size_t queue_bytes = MemoryShares::of(512u << 20, 1, 64u << 20, 8u << 20).queue;  // of the default `memory`
  };
  explicit SimulatedShard(const Options& options);
  ~SimulatedShard();

  // A source of its own for an appliance with this plan; it begins a millisecond after the one before, as the daemon's.
  SimulatedAppliance& add(std::vector<PlannedSession> plan, const PollSettings& poll = {},
                          PollMode mode = PollMode::kForever, std::vector<std::string> sessions = {});

  // Ends the source as SIGKILL would: what is not committed is lost. It begins again, `down` later, from what was.
  void restart(std::size_t i, std::chrono::milliseconds down = {});
  // Its one pass is over.
  bool is_over(std::size_t i) const;

  // Lets so much time pass. The queue is emptied once a second, as by a sink that keeps up, or once in what a commit
  // takes.
  void run(std::chrono::milliseconds span);

  void set_tick(std::chrono::milliseconds tick) { time_.set_tick(tick); }

  // From now on a commit takes so long, whatever is in it.
  void set_commit_time(std::chrono::milliseconds takes) { commit_takes_ = takes; }

  // From now on nothing is committed, or everything again.
  void stop_sink() { sink_runs_ = false; }
  void start_sink() { sink_runs_ = true; }

  Traffic& traffic() { return traffic_; }
  ShardMetrics& metrics() { return metrics_; }
  // Requests in each second so far.
  const std::vector<unsigned>& per_second() const { return per_second_; }
  std::size_t queue_bytes() const { return queue_.bytes(); }
  std::size_t most_queue_bytes() const { return most_queue_bytes_; }
  std::uint64_t events() const { return events_; }

  SimulatedAppliance& appliance(std::size_t i);
  SourceView view(std::size_t i);
  SourcePoller& poller(std::size_t i);
  const SourceCounters& counters(std::size_t i) const;

  // Of Options::remembers.
  const Reckoning& reckoning() const { return reckoning_; }
  std::size_t missing(std::size_t i, std::size_t begin, std::size_t end, std::chrono::milliseconds shown_ago) const;
  std::size_t not_final(std::size_t i, std::size_t begin, std::size_t end) const;
  std::size_t entries_of(std::size_t i, std::size_t session) const;
  // The source as it would begin again now.
  RestoredSource committed(std::size_t i) const;
  std::size_t size() const { return sources_.size(); }

 private:
  struct Source;
  using Rows = std::map<std::pair<std::uint64_t, std::int32_t>, std::string>;
  void begin(Source& source, std::chrono::milliseconds delay);
  void commit();
  void remember(const Batch& batch);
  RestoredSource committed(const std::string& id) const;
  void lose(const std::string& source_id);

  boost::asio::io_context io_{1};
  Traffic traffic_;
  std::shared_ptr<const Dialect> dialect_;
  std::unique_ptr<Encoder> encoder_;
  BatchQueue queue_;
  std::mt19937_64 random_;
  ShardMetrics metrics_;
  std::atomic<std::size_t> fingerprint_bytes_;
  const std::chrono::milliseconds verify_;
  SimulatedHttp http_;
  LogReader reader_;
  Signal room_;
  SimulatedTime time_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<unsigned> per_second_;
  std::vector<Batch> committing_;
  std::chrono::milliseconds commit_takes_{0};
  SteadyTime committed_at_{};
  std::uint64_t requests_before_ = 0, events_ = 0;
  std::size_t most_queue_bytes_ = 0;
  bool sink_runs_ = true;
  const bool remembers_;
  std::map<std::string, Rows> rows_;  // by source
  Reckoning reckoning_;
};

}  // namespace sessionlogd::test
