// Looks at the whole daemon for whoever asks, at most once a second however many ask: each shard is asked on its own
// thread, and of one that does not answer within a second what it said last is shown. Keeps a little history of it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/polling/quarantine.h"
#include "core/polling/shard.h"
#include "core/state/committer.h"
#include "core/state/queue_memory.h"
#include "daemon/admin/fleet_view.h"
#include "daemon/admin/published.h"
#include "daemon/service/heartbeat.h"

namespace sessionlogd {

// What is looked at. All must outlive who looks.
struct Observed {
  const Published<ProcessView>& process;  // there is one
  Heartbeat& heartbeat;                   // loop i is that of shard i
  std::span<const std::unique_ptr<Shard>> shards;
  const std::atomic<bool>& shards_run;  // until then they are not asked
  const QueueMemory& queue;
  std::function<CommitterView()> committed;  // any thread
  const Quarantine* quarantine;              // nullptr: none is kept
};

// What happened within one step of the history.
struct HistoryPoint {
  Instant at;
  double events_per_second = 0, polls_per_second = 0;
  double most_lag_seconds = 0;
  std::size_t down = 0;  // sources that are not ok
};

class Observatory {
 public:
  static constexpr std::chrono::seconds kFresh{1};
  static constexpr std::chrono::seconds kStep{10};
  static constexpr std::size_t kMostPoints = 360;  // an hour

  Observatory(boost::asio::io_context& io, Observed observed);

  // Whatever stands still, this answers at once.
  std::vector<std::string> not_healthy() const;

  // Never nullptr; at most kFresh old, but for shards that do not answer.
  Task<std::shared_ptr<const FleetView>> look();

  // Adds a point every kStep, for ever.
  Task<void> keep_history();
  const std::deque<HistoryPoint>& history() const { return history_; }

 private:
  // Of a shard; outlives us, should it answer later.
  using Shown = std::shared_ptr<Published<ShardView>>;

  bool all_answered(const std::vector<std::shared_ptr<const ShardView>>& before);
  void ask(std::size_t shard);
  std::vector<std::shared_ptr<const ShardView>> shown() const;
  std::shared_ptr<const FleetView> compose();

  boost::asio::io_context& io_;
  const Observed observed_;
  std::vector<Shown> shards_;
  AllSources all_sources_;
  std::shared_ptr<const FleetView> view_;
  bool looking_ = false;
  Signal looked_;
  std::deque<HistoryPoint> history_;
};

}  // namespace sessionlogd
