// How the whole daemon is doing at one moment: what /metrics, /status, /healthz and /readyz are written from.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/base/clock.h"
#include "core/base/timestamp.h"
#include "core/polling/source_view.h"
#include "core/state/committer.h"
#include "daemon/admin/all_sources.h"
#include "daemon/service/group_view.h"
#include "daemon/service/heartbeat.h"

namespace sessionlogd {

// What the main thread knows, and says whenever it changes.
struct ProcessView {
  Instant started;
  std::string config;  // the file in force, and what it says
  Instant config_loaded;
  DaemonSettings daemon;
  SinkSettings sink;
  std::vector<std::shared_ptr<const SourceSettings>> sources;
  std::vector<std::string> waits_for_restart;  // keys that say something else in the file since it was read again
  std::size_t threads = 0;                     // shards
  std::string sink_name;
  std::string starting;  // what is waited for before events can be taken, "" = nothing any more
  bool stopping = false;
  std::optional<GroupView> group;  // of several daemons that share the sources
};

struct FleetView {
  SteadyTime taken;
  Instant at;
  ProcessView process;
  std::vector<std::string> not_healthy;
  std::vector<std::shared_ptr<const ShardView>> shards;  // as each was when it answered last, nullptr = never
  std::vector<SourceView> to_come;                       // as configured, before the shards run
  std::optional<SourceSums> sums;                        // where the metrics are those of all sources together
  CommitterView sink;
  std::size_t queue_bytes = 0, queue_capacity = 0;
  std::chrono::duration<double> oldest_uncommitted{0};
  std::size_t quarantine_bytes = 0;
  std::size_t resident_bytes = 0, heap_bytes = 0;

  // In order of their names: those that shards have told of, and all of them. Nothing is judged of those that wait.
  std::vector<const SourceView*> sources() const;
  std::vector<const SourceView*> all_sources() const;
};

// Why the daemon is not well (some loop does not turn), or not ready (the sink does not commit, or sources have not
// begun, too). Empty: it is.
std::vector<std::string> not_healthy(const Heartbeat& heartbeat, SteadyTime now);
std::vector<std::string> not_ready(const FleetView& view);

}  // namespace sessionlogd
