// The memory that batches may take on their way to the sink: one bound for all lanes of the process, each of which has
// a queue of its own.
//
// A lane is full when what it holds reaches what is free. So one whose sink is stuck takes half of it at most and holds
// up nobody else's sources, and beside k of them a healthy one still has 1/(2(k+1)). One that is alone may take it all.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/freeze_guard.h"

namespace sessionlogd {

class BatchQueue;

class QueueMemory {
 public:
  // `guard`, if there is one, must outlive this: while it is quiet every lane is full.
  explicit QueueMemory(std::size_t capacity_bytes, const FreezeGuard* guard = nullptr)
      : capacity_(capacity_bytes), guard_(guard) {}

  // Called each time a lane that had been found full is not any more; on the thread that made it so, a committer's.
  // Set before the first push.
  void on_room(std::function<void()> notify) { notify_ = std::move(notify); }

  // Any thread. Called again and again where there is a guard: that the quiet is over is told as room is.
  void look() { tell_room(); }
  bool is_quiet() const { return guard_ != nullptr && guard_->is_quiet(FreezeGuard::now()); }

  // Any thread.
  std::size_t capacity() const { return capacity_; }
  std::size_t bytes() const { return bytes_; }
  // When the oldest of all that is not committed was pushed; nullopt: all is.
  std::optional<SteadyTime> oldest() const;

 private:
  friend class BatchQueue;

  // Returns the number of the life that begins.
  std::uint64_t open(BatchQueue& lane);
  void close(BatchQueue& lane);
  bool is_full_for(std::size_t bytes_of_lane) const;
  // What is in use and what is spare are within the bound together.
  bool has_spare_room(std::size_t more) const { return bytes_ + spare_ + more <= capacity_; }
  void give_back(std::size_t bytes);
  void tell_room();

  const std::size_t capacity_;
  const FreezeGuard* const guard_;
  std::atomic<std::size_t> bytes_ = 0;  // pushed and not released
  std::atomic<std::size_t> spare_ = 0;
  std::atomic<std::size_t> open_ = 0;  // lanes
  std::function<void()> notify_;

  mutable std::mutex mutex_;  // guards what follows
  std::vector<BatchQueue*> lanes_;
  std::uint64_t lives_ = 0;
};

}  // namespace sessionlogd
