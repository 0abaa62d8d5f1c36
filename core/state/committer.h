// Makes batches durable, one commit at a time, on a thread of its own.
//
//   take what the shards pushed ──▶ sink.commit ──▶ release the bytes, say that there is room
//                                     │ try later: wait, offer the same batches again
//                                     └ anything else: stop, the daemon must end
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/base/doubling.h"
#include "core/base/metrics.h"
#include "core/base/said_pair.h"
#include "core/base/timestamp.h"
#include "core/state/batch_queue.h"
#include "core/state/sink.h"

namespace sessionlogd {

struct CommitSettings {
  std::chrono::milliseconds interval{1'000};  // between the begins of two commits, unless so many bytes wait
  std::size_t bytes = 8u << 20;
  // After a refusal, from the first wait to the longest.
  std::chrono::milliseconds first_retry{500}, most_retry{60'000};
  // At the end: how long a sink that is waited for may still take before what is not committed is left to the source,
  // which keeps it.
  std::chrono::milliseconds patience_at_stop{3'000};
  // While there is nothing to commit, the sink looks at what was committed.
  std::chrono::milliseconds looks_every{10'000};
};

// How the committer is doing.
struct CommitterView {
  std::uint64_t ok = 0, failed = 0, in_doubt = 0;  // commits
  std::uint64_t events = 0, event_bytes = 0;       // committed
  std::optional<Instant> last_commit;
  std::string error;                                            // why the sink is waited for, "" = it is not
  std::optional<std::chrono::duration<double>> committing_for;  // how long the commit under way has been taking
  HistogramCounts commit_seconds, delivery_delay_seconds;
};

class Committer {
 public:
  // `on_fatal` is called once, on the committer's thread, when the sink cannot go on. Queue and sink must outlive this.
  Committer(BatchQueue& queue, Commits& sink, CommitSettings settings, std::function<void(const Error&)> on_fatal);

  void start();
  // In place of start() and join(): all of it on the caller's thread. Everything pushed before the queue was closed is
  // then durable, or false is returned.
  bool run();

  // Waits for the end, which comes after the queue was closed, or its life ended. Everything pushed before is then
  // durable, or false is returned.
  bool join();

  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t events() const { return events_.load(std::memory_order_relaxed); }
  // Grows at least once a second, unless a commit takes longer.
  std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }
  // Whether it has turned since this was so last. One thread at a time.
  bool has_turned() {
    const std::uint64_t now = turns();
    return std::exchange(turns_seen_, now) != now;
  }
  // The sink refuses for the moment; polling pauses by itself once the queue is full.
  bool waiting() const { return waiting_.load(std::memory_order_relaxed); }

  // Any thread.
  CommitterView view() const;

 private:
  bool look();
  bool commit(std::vector<Batch>& batches);
  Result<void> offer(const std::vector<Batch>& batches);
  void count(const std::vector<Batch>& batches);
  void waits_for(std::string why);
  void say_end();
  bool wait_before_retry(const Error& error);

  BatchQueue& queue_;
  Commits& sink_;
  const CommitSettings settings_;
  std::function<void(const Error&)> on_fatal_;
  Doubling retries_;
  SaidOutage said_waiting_;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> events_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::uint64_t> event_bytes_ = 0;
  Histogram commit_seconds_{kCommitBounds};
  Histogram delivery_delay_seconds_{kDeliveryBounds};
  mutable std::mutex mutex_;  // guards these three
  std::string error_;
  std::optional<Instant> last_commit_;
  std::optional<SteadyTime> committing_since_;
  std::atomic<std::uint64_t> turns_ = 0;
  std::uint64_t turns_seen_ = 0;
  std::atomic<bool> waiting_ = false;
  std::atomic<bool> complete_ = true;
  std::chrono::steady_clock::time_point give_up_at_{};
  std::thread thread_;
};

}  // namespace sessionlogd
