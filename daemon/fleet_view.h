// How the whole daemon is doing at one moment: what /metrics, /status, /healthz and /readyz are written from.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/committer.h"
#include "core/source_view.h"
#include "core/timestamp.h"

namespace sessionlogd {

// What the main thread knows.
struct ProcessView {
  Instant started;
  std::string config;  // the file in force
  Instant config_loaded;
  std::size_t memory_limit = 0;  // `memory`
  std::size_t threads = 0;       // shards
  std::string sink_type, sink_name;
  bool stopping = false;
};

struct FleetView {
  SteadyTime taken;
  Instant at;
  ProcessView process;
  bool main_answers = false;
  struct ShardState {
    bool answers = false;  // false: `view` is what it said last
    std::shared_ptr<const ShardView> view;
  };
  std::vector<ShardState> shards;
  CommitterView sink;
  std::size_t queue_bytes = 0, queue_capacity = 0;
  std::size_t quarantine_bytes = 0;
  std::size_t resident_bytes = 0, heap_bytes = 0;

  std::vector<const SourceView*> sources() const;  // in order of their names
};

// Why the daemon is not well (some loop does not answer), or not ready (the sink does not commit, too). Empty: it is.
std::vector<std::string> not_healthy(const FleetView& view);
std::vector<std::string> not_ready(const FleetView& view);

}  // namespace sessionlogd
