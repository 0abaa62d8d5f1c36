// Looks at the whole daemon for whoever asks, at most once a second however many ask: each shard is asked on its own
// thread, and one that does not answer within a second is said to stand still. Keeps a little history of it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/batch_queue.h"
#include "core/committer.h"
#include "core/quarantine.h"
#include "core/shard.h"
#include "core/signal.h"
#include "daemon/fleet_view.h"
#include "daemon/probe.h"

namespace sessionlogd {

// What is looked at. All must outlive who looks.
struct Observed {
  boost::asio::io_context& main;
  std::function<ProcessView()> process;  // called on the main thread
  std::span<const std::unique_ptr<Shard>> shards;
  const BatchQueue& queue;
  const Committer& committer;
  const Quarantine* quarantine;  // nullptr: none is kept
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

  // Never nullptr; at most kFresh old, but for shards that do not answer.
  boost::asio::awaitable<std::shared_ptr<const FleetView>> look();

  // Adds a point every kStep, for ever.
  boost::asio::awaitable<void> keep_history();
  const std::deque<HistoryPoint>& history() const { return history_; }

 private:
  bool all_answered() const;
  std::shared_ptr<const FleetView> compose() const;

  boost::asio::io_context& io_;
  const Observed observed_;
  Probe<ProcessView> process_;
  std::vector<Probe<ShardView>> shards_;
  std::shared_ptr<const FleetView> view_;
  bool looking_ = false;
  Signal looked_;
  std::deque<HistoryPoint> history_;
};

}  // namespace sessionlogd
