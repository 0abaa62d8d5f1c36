// The daemon: everything it is made of, in the order in which it is made, and its life from start to stop.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "config/settings.h"
#include "core/api/accounts.h"
#include "core/async/task.h"
#include "core/base/backoff.h"
#include "core/base/doubling.h"
#include "core/base/freeze_guard.h"
#include "core/base/memory_shares.h"
#include "core/polling/shard.h"
#include "core/state/batch_queue.h"
#include "core/state/committer.h"
#include "core/state/lane_group.h"
#include "core/state/restored_state.h"
#include "core/state/sink.h"
#include "daemon/admin/admin_server.h"
#include "daemon/admin/fleet_view.h"
#include "daemon/admin/published.h"
#include "daemon/admin/recent_trouble.h"
#include "daemon/control/control_commands.h"
#include "daemon/control/control_socket.h"
#include "daemon/control/lanes.h"
#include "daemon/control/reload.h"
#include "daemon/control/source_set.h"
#include "daemon/service/heap.h"
#include "daemon/service/pulse.h"
#include "daemon/service/service_notify.h"
#include "daemon/service/service_status.h"
#include "sinks/file/state_dir.h"

namespace sessionlogd {

class App {
 public:
  // Settings must outlive this.
  App(const Settings& settings, PollMode mode);
  ~App();

  // Runs until SIGTERM or SIGINT, or to the end of the one pass. Throws StateMismatch, InUse and std::runtime_error
  // when it cannot start. Returns the exit status.
  int run();

 private:
  void watch_signals();
  void watch_hangups();
  bool recover();
  void recover_sink();
  struct Stopped;
  void turn_while_recovering();
  std::string_view output() const;
  CommitterView committed() const;
  std::string recovering() const;
  void say_starting(std::string what);
  bool wait_for_room();
  void lock_state_dir();
  void make_shards();
  void make_sources();
  void make_lanes();
  void give_sources();
  void start();
  void listen_to_operator();
  void show_how_it_is();
  void publish_process();
  void wait_for_end();
  bool stop();
  int exit_status(bool all_committed) const;

  void on_shard_end();
  void on_fatal(const Error& error);
  void request_stop();
  Task<void> release_lanes();
  void end_without_lanes_that_hang(int status);
  std::string status_line(SteadyTime now);
  void give_back(SteadyTime now);

  // In order of construction: what stands below uses what stands above, and ends before it.
  const Settings& settings_;
  const PollMode mode_;
  const Instant started_ = system_now();
  RecentTrouble trouble_;
  boost::asio::io_context main_{1};  // the main thread: signals, progress, the ends of the shards
  boost::asio::signal_set
      signals_;  // held from the first moment to the last: one that comes early waits, a second changes nothing
  boost::asio::signal_set hangups_;  // reload, and the output may have been moved away
  std::stop_source stop_;            // tells the sink, which may be waiting on a thread of its own
  std::unique_ptr<Sink> sink_;       // nullptr in a group
  FreezeGuard guard_{FreezeGuard::now()};
  std::unique_ptr<LaneGroup> group_;   // nullptr: this daemon has all sources for itself
  std::optional<StateDir> state_dir_;  // in a group
  RestoredState restored_;
  const std::size_t shard_count_;
  const MemoryShares memory_;
  const std::shared_ptr<QueueMemory> queue_memory_;
  // Of the only lane, whose life is the queue's; none in a group.
  const std::shared_ptr<BatchQueue> queue_;
  std::optional<Committer> committer_;
  ServiceNotify service_;
  ServiceStatus status_;
  HeapTrim heap_;
  Pulse pulse_;
  std::unique_ptr<Quarantine> quarantine_;  // none where no state is kept
  std::unique_ptr<Accounts> accounts_;
  Published<ProcessView> process_;
  std::atomic<std::size_t> fingerprint_bytes_ = 0;  // of each source
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<bool> shards_run_ = false;
  std::optional<SourceSet> sources_;
  std::optional<Lanes> lanes_;  // in a group
  std::optional<Reload> reload_;
  std::optional<ControlCommands> commands_;
  std::optional<ControlServer> control_;
  std::optional<AdminServer> admin_;

  std::string starting_;   // what is waited for, "" = nothing any more
  std::string could_not_;  // why the last attempt to recover failed, "" = there was none
  SteadyTime starting_said_{};
  Doubling room_wait_{std::chrono::milliseconds{500}, Backoff::kMost};  // before an attempt to start without room
  std::size_t shards_running_ = 0;
  bool has_sources_ = false;
  bool stop_requested_ = false;
  std::atomic<int> fatal_status_ = 0;
};

}  // namespace sessionlogd
