#include "core/state/batch_queue.h"

#include <algorithm>
#include <utility>

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kBetweenTells{1};

}  // namespace

// As the condition variable's wait_until(), in slices.
template <class Predicate>
bool BatchQueue::wait(std::unique_lock<std::mutex>& lock, SteadyTime until, Predicate is_over) {
  for (;;) {
    tell_();
    const SteadyTime slice = std::min(until, SteadyClock::now() + kBetweenTells);
    if (changed_.wait_until(lock, slice, is_over)) return true;
    if (slice == until) return false;
    spare_.clear();
    spare_bytes_ = 0;
  }
}

std::string BatchQueue::take_spare() {
  std::lock_guard lock(mutex_);
  return pop_spare();
}

std::string BatchQueue::pop_spare() {
  if (spare_.empty()) return {};
  std::string last = std::move(spare_.back());
  spare_.pop_back();
  spare_bytes_ -= last.capacity();
  return last;
}

void BatchQueue::push(Batch batch) {
  const std::size_t bytes = batch.bytes();
  bytes_.fetch_add(bytes, std::memory_order_acq_rel);
  bool enough = false;
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(batch));
    waiting_bytes_ += bytes;
    pushed_.fetch_add(1, std::memory_order_acq_rel);
    while (spare_bytes_ > 0 && this->bytes() + spare_bytes_ > capacity_bytes_) pop_spare();
    enough = waiting_bytes_ >= wanted_bytes_ || full();
  }
  if (enough) changed_.notify_one();
}

void BatchQueue::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool BatchQueue::wait_for_batch(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  wanted_bytes_ = 0;
  return wait(lock, SteadyClock::now() + most, [&] { return closed_ || !waiting_.empty(); });
}

bool BatchQueue::take(std::vector<Batch>& to, std::size_t commit_bytes, std::chrono::milliseconds gap) {
  std::unique_lock lock(mutex_);
  wanted_bytes_ = 0;
  wait(lock, SteadyTime::max(), [&] { return closed_ || !waiting_.empty(); });
  wanted_bytes_ = commit_bytes;
  const auto enough = [&] { return closed_ || waiting_bytes_ >= commit_bytes || full(); };
  if (taken_at_ && !waiting_.empty()) wait(lock, *taken_at_ + gap, enough);
  taken_at_ = SteadyClock::now();
  to.swap(waiting_);
  waiting_bytes_ = 0;
  return !to.empty();
}

bool BatchQueue::wait_closed(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  return wait(lock, SteadyClock::now() + most, [&] { return closed_; });
}

void BatchQueue::release(std::span<Batch> done) {
  std::size_t bytes = 0;
  std::vector<std::string> large;
  for (Batch& batch : done) {
    bytes += batch.bytes();
    if (batch.events.capacity() >= kWorthKeeping) large.push_back(std::move(batch.events));
  }
  committed_.fetch_add(done.size(), std::memory_order_acq_rel);
  const std::size_t before = bytes_.fetch_sub(bytes, std::memory_order_acq_rel);
  if (!large.empty()) keep_spare(large);
  if (before >= capacity_bytes_ && before - bytes < capacity_bytes_ && notify_) notify_();
}

// As many as are within the bound; the others are the caller's.
void BatchQueue::keep_spare(std::vector<std::string>& large) {
  std::lock_guard lock(mutex_);
  for (std::string& memory : large) {
    if (bytes() + spare_bytes_ + memory.capacity() > capacity_bytes_) continue;
    spare_bytes_ += memory.capacity();
    memory.clear();
    spare_.push_back(std::move(memory));
  }
}

}  // namespace sessionlogd
