#include "core/polling/schedule.h"

#include <algorithm>

namespace sessionlogd {

void Schedule::set(Slot slot, SteadyTime due) {
  if (slot >= due_ns_.size()) due_ns_.resize(std::size_t{slot} + 1, kNoTime);
  if (due_ns_[slot] == kNoTime) ++live_;
  const auto due_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(due.time_since_epoch()).count();
  due_ns_[slot] = std::min(due_ns, kNoTime - 1);
  put(slot, due_ns_[slot]);
  drop_stale();
  if (heap_until_ == kAllInHeap && live_ >= kMany) put_all_anew();
}

void Schedule::cancel(Slot slot) {
  if (slot >= due_ns_.size() || due_ns_[slot] == kNoTime) return;
  due_ns_[slot] = kNoTime;
  --live_;
  drop_stale();
}

std::optional<SteadyTime> Schedule::next_due() const {
  if (heap_.empty()) return std::nullopt;
  return SteadyTime(std::chrono::nanoseconds(heap_.front().due_ns));
}

std::optional<Schedule::Slot> Schedule::take_due(SteadyTime now) {
  const std::optional<SteadyTime> due = next_due();
  if (!due || *due > now) return std::nullopt;
  const Slot slot = heap_.front().slot;
  cancel(slot);
  return slot;
}

void Schedule::put(Slot slot, std::int64_t due_ns) {
  const std::int64_t bucket = bucket_of(due_ns);
  if (bucket < heap_until_) {
    heap_.push_back({due_ns, slot});
    std::push_heap(heap_.begin(), heap_.end(), later);
  } else if (bucket - heap_until_ < kBuckets) {
    std::vector<Slot>& waiting = ring_[static_cast<std::size_t>(bucket % kBuckets)];
    if (waiting.capacity() == 0) waiting.reserve(in_ring_ / static_cast<std::size_t>(kBuckets) + kSpareInBucket);
    waiting.push_back(slot);
    ++in_ring_;
  } else {
    beyond_.push_back(slot);
  }
}

void Schedule::drop_stale() {
  if (heap_.size() + in_ring_ + beyond_.size() > 2 * live_ + kStaleKept) put_all_anew();
  for (;;) {
    while (!heap_.empty() && is_stale(heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      heap_.pop_back();
    }
    if (!heap_.empty() || live_ == 0) return;
    fill_heap();
  }
}

// The next bucket of the ring that holds anything goes into the heap, which is empty.
void Schedule::fill_heap() {
  if (in_ring_ == 0) {  // nothing is due for long
    heap_until_ = bucket_of(*std::min_element(due_ns_.begin(), due_ns_.end()));
    take_in_beyond();
  }
  while (heap_.empty() && in_ring_ > 0) {
    std::vector<Slot> next;
    next.swap(ring_[static_cast<std::size_t>(heap_until_ % kBuckets)]);
    in_ring_ -= next.size();
    heap_.reserve(next.size());
    for (const Slot slot : next) {
      if (bucket_of(due_ns_[slot]) == heap_until_) heap_.push_back({due_ns_[slot], slot});
    }
    ++heap_until_;
    // Once a round, what has come within the ring's reach: it is looked through seldom, and nothing in it is due yet.
    if (heap_until_ % kBuckets == 0) take_in_beyond();
  }
  std::make_heap(heap_.begin(), heap_.end(), later);
}

void Schedule::take_in_beyond() {
  std::vector<Slot> waiting;
  waiting.swap(beyond_);
  for (const Slot slot : waiting) {
    if (due_ns_[slot] != kNoTime) put(slot, due_ns_[slot]);
  }
}

// Each once, and where it belongs: of many, only what is due first stays in the heap.
void Schedule::put_all_anew() {
  heap_.clear();
  beyond_.clear();
  for (std::vector<Slot>& bucket : ring_) std::vector<Slot>().swap(bucket);
  in_ring_ = 0;
  heap_until_ = kAllInHeap;
  if (live_ >= kMany) {
    ring_.resize(static_cast<std::size_t>(kBuckets));
    heap_until_ = bucket_of(*std::min_element(due_ns_.begin(), due_ns_.end())) + 1;
  }
  for (Slot slot = 0; slot < due_ns_.size(); ++slot) {
    if (due_ns_[slot] != kNoTime) put(slot, due_ns_[slot]);
  }
}

bool Schedule::later(const Item& a, const Item& b) {
  return a.due_ns != b.due_ns ? a.due_ns > b.due_ns : a.slot > b.slot;
}

}  // namespace sessionlogd
