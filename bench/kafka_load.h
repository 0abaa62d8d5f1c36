// The same batches at the same rate, or as fast as they are taken, into one queue or several, and what committing them
// costs this process, all its threads. The broker is another process, and does not count.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/state/batch.h"
#include "core/state/batch_queue.h"
#include "core/state/committer.h"
#include "core/state/queue_memory.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/outside.h"

namespace sessionlogd {

inline constexpr std::size_t kQueueBytes = 96u << 20;  // of a daemon with memory at its default

struct Load {
  std::string_view name;
  double events_per_second;  // infinity: what is taken
};

// Where batches go, and who commits them.
class Outlets {
 public:
  virtual ~Outlets() = default;

  virtual BatchQueue& queue_of(const Batch& batch) = 0;
  virtual const QueueMemory& memory() const = 0;  // of all its queues
  virtual CommitterView committed() const = 0;
};

struct Measured {
  double events_per_cpu_second = 0, events_per_second = 0, commits_per_second = 0;
};

// Pushes `batches` round and round: first to warm up, then for `span`, which ends when all of it is committed. What a
// full queue does not take is left out, as a poll would be.
Measured measure(Outlets& outlets, const std::vector<Batch>& batches, const Load& load, std::chrono::seconds span);

// Rounds in which two were measured in turn.
class Rounds {
 public:
  void add(const Measured& ours, const Measured& against);
  // A row for bench/run, of the medians: thousand events per CPU-second.
  void print(std::string_view name, std::string_view at_least) const;

 private:
  std::vector<double> ours_, against_, ratios_;
};

// A broker that keeps the last seconds only: a run writes some ten gigabytes. A group's first member is not waited
// beside.
class LoadedBroker {
 public:
  LoadedBroker();

  std::string addresses() const { return cluster_.addresses(); }
  test::Outside& outside() { return outside_; }
  void create_events_topic(const std::string& name);

 private:
  test::Cluster cluster_;
  test::Outside outside_;
};

}  // namespace sessionlogd
