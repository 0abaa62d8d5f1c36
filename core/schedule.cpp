#include "core/schedule.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace sessionlogd {

void Schedule::set(Slot slot, SteadyTime due) {
  if (slot >= stamps_.size()) stamps_.resize(std::size_t{slot} + 1, 0);
  if (stamps_[slot] == 0) ++live_;
  // At 30,000 polls a second the stamps last for 40 hours.
  if (next_stamp_ == std::numeric_limits<std::uint32_t>::max()) compact();
  stamps_[slot] = next_stamp_++;
  const auto due_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(due.time_since_epoch()).count();
  put({due_ns, slot, stamps_[slot]});
  drop_stale();
  if (heap_until_ == kAllInHeap && live_ >= kMany) spread();
}

void Schedule::cancel(Slot slot) {
  if (slot >= stamps_.size() || stamps_[slot] == 0) return;
  stamps_[slot] = 0;
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

void Schedule::put(const Item& item) {
  const std::int64_t bucket = bucket_of(item);
  if (bucket < heap_until_) {
    heap_.push_back(item);
    std::push_heap(heap_.begin(), heap_.end(), later);
  } else if (bucket - heap_until_ < kBuckets) {
    std::vector<Item>& waiting = ring_[static_cast<std::size_t>(bucket % kBuckets)];
    if (waiting.capacity() == 0) waiting.reserve(in_ring_ / static_cast<std::size_t>(kBuckets) + kSpareInBucket);
    waiting.push_back(item);
    ++in_ring_;
  } else {
    beyond_.push_back(item);
  }
}

void Schedule::drop_stale() {
  if (heap_.size() + in_ring_ + beyond_.size() > 2 * live_ + kStaleKept) compact();
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
    heap_until_ = bucket_of(
        *std::min_element(beyond_.begin(), beyond_.end(), [](const Item& a, const Item& b) { return later(b, a); }));
    take_in_beyond();
  }
  while (heap_.empty() && in_ring_ > 0) {
    std::vector<Item>& next = ring_[static_cast<std::size_t>(heap_until_ % kBuckets)];
    ++heap_until_;
    in_ring_ -= next.size();
    std::copy_if(next.begin(), next.end(), std::back_inserter(heap_),
                 [this](const Item& item) { return !is_stale(item); });
    std::vector<Item>().swap(next);
    // Once a round, what has come within the ring's reach: it is looked through seldom, and nothing in it is due yet.
    if (heap_until_ % kBuckets == 0) take_in_beyond();
  }
  std::make_heap(heap_.begin(), heap_.end(), later);
}

void Schedule::take_in_beyond() {
  std::vector<Item> waiting;
  waiting.swap(beyond_);
  for (const Item& item : waiting) {
    if (!is_stale(item)) put(item);
  }
}

// Out of the heap into the ring, but for what is due first.
void Schedule::spread() {
  ring_.resize(static_cast<std::size_t>(kBuckets));
  heap_until_ = bucket_of(heap_.front()) + 1;
  std::vector<Item> all;
  all.swap(heap_);
  for (const Item& item : all) put(item);
}

// Leaves the valid items only, and numbers their stamps anew from 1 in the order they will be taken. Sorted, they are
// a heap.
void Schedule::compact() {
  for (std::vector<Item>& bucket : ring_) {
    heap_.insert(heap_.end(), bucket.begin(), bucket.end());
    std::vector<Item>().swap(bucket);
  }
  heap_.insert(heap_.end(), beyond_.begin(), beyond_.end());
  std::vector<Item>().swap(beyond_);
  in_ring_ = 0;
  heap_until_ = kAllInHeap;
  std::erase_if(heap_, [this](const Item& item) { return is_stale(item); });
  std::sort(heap_.begin(), heap_.end(), [](const Item& a, const Item& b) { return later(b, a); });
  next_stamp_ = 1;
  for (Item& item : heap_) {
    item.stamp = next_stamp_++;
    stamps_[item.slot] = item.stamp;
  }
}

bool Schedule::later(const Item& a, const Item& b) {
  return a.due_ns != b.due_ns ? a.due_ns > b.due_ns : a.stamp > b.stamp;
}

std::chrono::milliseconds Pace::after(News news, std::chrono::milliseconds interval,
                                      std::chrono::milliseconds max_interval) {
  if (news == News::kChanged) {
    quiet_polls_ = 0;
    return interval;
  }
  if (quiet_polls_ < std::numeric_limits<decltype(quiet_polls_)>::max()) ++quiet_polls_;
  const std::chrono::milliseconds most = std::max(interval, max_interval);
  std::chrono::milliseconds wait = interval;
  for (unsigned doublings = 0; doublings < quiet_polls_ && wait < most; ++doublings) {
    wait += std::min(wait, most - wait);
  }
  return wait;
}

}  // namespace sessionlogd
