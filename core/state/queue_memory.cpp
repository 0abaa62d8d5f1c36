#include "core/state/queue_memory.h"

#include <algorithm>

#include "core/state/batch_queue.h"

namespace sessionlogd {

std::uint64_t QueueMemory::open(BatchQueue& lane) {
  std::lock_guard lock(mutex_);
  lanes_.push_back(&lane);
  open_ = lanes_.size();
  return ++lives_;
}

void QueueMemory::close(BatchQueue& lane) {
  {
    std::lock_guard lock(mutex_);
    std::erase(lanes_, &lane);
    open_ = lanes_.size();
  }
  tell_room();
}

bool QueueMemory::is_full_for(std::size_t bytes_of_lane) const {
  return bytes_ + (open_ > 1 ? bytes_of_lane : 0) >= capacity_;
}

void QueueMemory::give_back(std::size_t bytes) {
  bytes_ -= bytes;
  tell_room();
}

void QueueMemory::tell_room() {
  bool is_room = false;
  {
    std::lock_guard lock(mutex_);
    for (BatchQueue* lane : lanes_) is_room |= lane->has_room_again();
  }
  if (is_room && notify_) notify_();
}

std::optional<SteadyTime> QueueMemory::oldest() const {
  std::lock_guard lock(mutex_);
  std::optional<SteadyTime> oldest;
  for (const BatchQueue* lane : lanes_) {
    if (const auto since = lane->oldest()) oldest = oldest ? std::min(*oldest, *since) : *since;
  }
  return oldest;
}

}  // namespace sessionlogd
