// One life of a lane in this process: its outlet, and a thread that takes the part over, then commits what its sources
// push, and ends. The thread may be inside a call that lasts; nobody waits for it.
//
//   recover ─▶ an empty commit ─▶ ready ─▶ commits ─▶ ended
//      │ try later: again            └──────── fenced, refused: failed, then ended
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/base/doubling.h"
#include "core/base/said_pair.h"
#include "core/state/batch_queue.h"
#include "core/state/committer.h"
#include "core/state/lane_group.h"
#include "core/state/restored_state.h"

namespace sessionlogd {

class LaneLife : public std::enable_shared_from_this<LaneLife> {
 public:
  // All are called on the lane's thread.
  struct Tells {
    std::function<void(std::shared_ptr<RestoredState>)> ready;
    std::function<void(const Error&)> failed;  // once at most, by ready or in place of it
    // Nothing of it is left but this object, which is given away by its thread.
    std::function<void(std::shared_ptr<LaneLife>)> ended;
  };

  LaneLife(LaneGroup& group, Partition partition, std::shared_ptr<QueueMemory> memory, CommitSettings settings,
           Tells tells);
  ~LaneLife();
  LaneLife(const LaneLife&) = delete;
  LaneLife& operator=(const LaneLife&) = delete;

  // Keeps this until the thread has ended.
  void start();
  // No batch comes any more: what is there is committed, then it ends.
  void close() { queue_->close(); }
  // It ends at once, and what is not committed is dropped.
  void drop();

  const std::shared_ptr<BatchQueue>& queue() const { return queue_; }
  // Any thread.
  std::uint64_t rows_read() const;
  CommitterView view() const;
  std::uint64_t turns() const { return committer_.turns(); }
  std::uint64_t commits() const { return committer_.commits(); }
  bool is_shut_out() const;
  // Why the takeover has not come further, "" = nothing is known against it.
  std::string waits_for() const;

 private:
  void run();
  bool take_over();
  bool announce();
  bool waits(const Error& error);
  bool may_go_on(const Error& error);

  const std::shared_ptr<BatchQueue> queue_;
  const Tells tells_;
  std::stop_source stop_;
  Doubling waits_{std::chrono::milliseconds{200}, std::chrono::milliseconds{5'000}};  // to take it over
  SaidOutage said_waiting_;
  mutable std::mutex mutex_;  // guards what follows, but not for the lane's thread's own calls
  std::unique_ptr<Lane> lane_;
  CommitterView last_view_;
  std::string waits_for_;

  Committer committer_;
};

}  // namespace sessionlogd
