// The one place where data crosses threads: shards push batches, a committer takes them all at once. It is the outlet
// of a lane and has its life: what is pushed to a life that is over is dropped, so that nothing that an old poller
// reads can be committed by the lane that comes after it.
//
// Bounded in bytes by agreement: a shard sends no request and reads no response for a lane that is full, so it
// overshoots by what each shard pushes in one step at most (core/base/memory_shares.h); push() itself never waits,
// since what was read must be finished. Bytes count until their commit is known.
//
// The memory of large batches goes round: asked for anew, each page of it would be cleared by the kernel before it is
// written. What is spare and what is in use are within the bound together; when the committer has waited for a
// second, the spare is let go.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/state/batch.h"
#include "core/state/queue_memory.h"

namespace sessionlogd {

class BatchQueue {
 public:
  explicit BatchQueue(std::shared_ptr<QueueMemory> memory);
  explicit BatchQueue(std::size_t capacity_bytes);  // with a memory for itself
  ~BatchQueue();
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  // Its number, from 1: no other of this memory has it, and later ones are larger.
  std::uint64_t life() const { return life_; }
  QueueMemory& memory() const { return *memory_; }

  // Any thread.
  void push(Batch batch);
  bool full() const;  // also when it rests, all rest, or its life is over

  // Any thread. While it rests its sources ask for nothing, since another may own them; what was read is still
  // committed, if it can be.
  void rest(bool rests);
  bool rests() const { return is_over() || rests_.load(std::memory_order_relaxed); }
  // The whole process is quiet.
  bool is_quiet() const { return memory_->is_quiet(); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  bool is_over() const { return is_over_.load(std::memory_order_relaxed); }

  // Any thread. Its life is over: what waits is dropped, and what is still pushed. A commit under way may yet succeed.
  void end();

  // When the oldest of what is not committed was pushed; nullopt: all is.
  std::optional<SteadyTime> oldest() const;
  // Since when the committer has had what it took last and is not done with; nullopt: it has nothing.
  std::optional<SteadyTime> taken_since() const;

  // Batches since the start. They are committed in the order in which they were pushed.
  std::uint64_t pushed() const { return pushed_.load(std::memory_order_acquire); }
  std::uint64_t committed() const { return committed_.load(std::memory_order_acquire); }

  // Memory for many events: of batches that are done with, while there is some of them, or none. Any thread.
  std::string take_spare();

  // No batch comes any more; the committer takes what is left and ends.
  void close();

  // Called, on the committer's thread, when take() or one of the others begins to wait and every second while they do:
  // so that one can see that it is alive. Must not call this. Set before the first take().
  void on_wait(std::function<void()> tell) { tell_ = std::move(tell); }

  // The committer's side. Waits at most so long for a batch, or for the queue to be closed. false: neither came.
  bool wait_for_batch(std::chrono::milliseconds most);

  // Waits for the first batch, then until `commit_bytes` are there or `gap` has passed since something was taken last
  // or the queue is closed or full: so what comes after a lull waits for nothing. Puts all into `to`, which must be
  // empty, and whose memory is used for the next. false: closed and empty.
  bool take(std::vector<Batch>& to, std::size_t commit_bytes, std::chrono::milliseconds gap);

  // Waits at most so long, less when the queue is closed. true: it is closed.
  bool wait_closed(std::chrono::milliseconds most);

  // The oldest taken batches are done with, and what memory is worth it goes round: their events are gone.
  void release(std::span<Batch> done);

 private:
  friend class QueueMemory;

  // What is freed in less than this the allocator keeps by itself.
  static constexpr std::size_t kWorthKeeping = 256u << 10;

  template <class Predicate>
  bool wait(std::unique_lock<std::mutex>& lock, SteadyTime until, Predicate is_over);
  std::string pop_spare();
  void keep_spare(std::vector<std::string>& large);

  bool is_full() const { return rests() || is_quiet() || memory_->is_full_for(bytes_); }
  // Whether somebody has found it full and it is not any more: once for each time.
  bool has_room_again();

  const std::shared_ptr<QueueMemory> memory_;
  std::atomic<std::size_t> bytes_ = 0;  // pushed and not released
  std::atomic<std::uint64_t> pushed_ = 0, committed_ = 0;
  std::atomic<bool> is_over_ = false, rests_ = false;
  mutable std::atomic<bool> was_found_full_ = false;
  std::function<void()> tell_ = [] {};

  mutable std::mutex mutex_;  // guards what follows; held for a move or a swap at most
  std::condition_variable changed_;
  std::vector<Batch> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t wanted_bytes_ = 0;  // by who waits in take(): a push below it wakes nobody
  std::optional<SteadyTime> taken_at_{};
  SteadyTime first_at_{};
  std::size_t taken_ = 0;  // and not released
  SteadyTime taken_first_at_{};
  std::vector<std::string> spare_;
  std::size_t spare_bytes_ = 0;
  bool closed_ = false;

  const std::uint64_t life_;  // the last: from here on the memory looks at this from any thread
};

}  // namespace sessionlogd
