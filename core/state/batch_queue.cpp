#include "core/state/batch_queue.h"

#include <algorithm>
#include <utility>

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kBetweenTells{1};

}  // namespace

BatchQueue::BatchQueue(std::shared_ptr<QueueMemory> memory) : memory_(std::move(memory)), life_(memory_->open(*this)) {}

BatchQueue::BatchQueue(std::size_t capacity_bytes) : BatchQueue(std::make_shared<QueueMemory>(capacity_bytes)) {}

BatchQueue::~BatchQueue() {
  end();
  memory_->spare_ -= spare_bytes_;
  memory_->give_back(bytes_);
}

void BatchQueue::end() {
  std::vector<Batch> dropped;
  {
    std::lock_guard lock(mutex_);
    if (is_over_.exchange(true)) return;
    closed_ = true;
    dropped.swap(waiting_);
    bytes_ -= waiting_bytes_;
    memory_->bytes_ -= std::exchange(waiting_bytes_, 0);
    changed_.notify_all();
  }
  memory_->close(*this);
}

void BatchQueue::rest(bool rests) {
  if (rests_.exchange(rests) && !rests) memory_->tell_room();
}

// The mark is set before the second look, as a release counts before it looks at the mark: one sees the other.
bool BatchQueue::full() const {
  if (!is_full()) return false;
  was_found_full_ = true;
  return is_full();
}

bool BatchQueue::has_room_again() { return was_found_full_ && !is_full() && was_found_full_.exchange(false); }

std::optional<SteadyTime> BatchQueue::oldest() const {
  std::lock_guard lock(mutex_);
  if (taken_ > 0) return taken_first_at_;
  return waiting_.empty() ? std::nullopt : std::optional(first_at_);
}

std::optional<SteadyTime> BatchQueue::taken_since() const {
  std::lock_guard lock(mutex_);
  return taken_ > 0 ? taken_at_ : std::nullopt;
}

// As the condition variable's wait_until(), in slices.
template <class Predicate>
bool BatchQueue::wait(std::unique_lock<std::mutex>& lock, SteadyTime until, Predicate is_over) {
  for (;;) {
    tell_();
    const SteadyTime slice = std::min(until, SteadyClock::now() + kBetweenTells);
    if (changed_.wait_until(lock, slice, is_over)) return true;
    if (slice == until) return false;
    spare_.clear();
    memory_->spare_ -= std::exchange(spare_bytes_, 0);
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
  memory_->spare_ -= last.capacity();
  return last;
}

void BatchQueue::push(Batch batch) {
  const std::size_t bytes = batch.bytes();
  bool enough = false;
  {
    std::lock_guard lock(mutex_);
    if (is_over()) return;
    bytes_ += bytes;
    memory_->bytes_ += bytes;
    if (waiting_.empty()) first_at_ = SteadyClock::now();
    waiting_.push_back(std::move(batch));
    waiting_bytes_ += bytes;
    pushed_.fetch_add(1, std::memory_order_acq_rel);
    while (spare_bytes_ > 0 && !memory_->has_spare_room(0)) pop_spare();
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
  taken_ = to.size();
  taken_first_at_ = first_at_;
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
  {
    std::lock_guard lock(mutex_);
    taken_ -= done.size();
  }
  committed_.fetch_add(done.size(), std::memory_order_acq_rel);
  bytes_ -= bytes;
  memory_->give_back(bytes);
  if (!large.empty()) keep_spare(large);
}

// As many as are within the bound; the others are the caller's.
void BatchQueue::keep_spare(std::vector<std::string>& large) {
  std::lock_guard lock(mutex_);
  for (std::string& memory : large) {
    if (!memory_->has_spare_room(memory.capacity())) continue;
    spare_bytes_ += memory.capacity();
    memory_->spare_ += memory.capacity();
    memory.clear();
    spare_.push_back(std::move(memory));
  }
}

}  // namespace sessionlogd
