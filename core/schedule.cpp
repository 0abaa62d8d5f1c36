#include "core/schedule.h"

#include <algorithm>
#include <limits>

namespace sessionlogd {

void Schedule::set(Slot slot, SteadyTime due) {
  if (slot >= stamps_.size()) stamps_.resize(std::size_t{slot} + 1, 0);
  if (stamps_[slot] == 0) ++live_;
  // At 30,000 polls a second the stamps last for 40 hours.
  if (next_stamp_ == std::numeric_limits<std::uint32_t>::max()) compact();
  stamps_[slot] = next_stamp_++;
  const auto due_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(due.time_since_epoch()).count();
  heap_.push_back({due_ns, slot, stamps_[slot]});
  std::push_heap(heap_.begin(), heap_.end(), later);
  drop_stale();
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

void Schedule::drop_stale() {
  if (heap_.size() > 2 * live_ + kStaleKept) compact();
  while (!heap_.empty() && is_stale(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
  }
}

// Leaves the valid items only, and numbers their stamps anew from 1 in the order they will be taken. Sorted, they are
// a heap.
void Schedule::compact() {
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
