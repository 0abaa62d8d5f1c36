// Decides when each session of a source is polled next. Knows times and slots; knows nothing of timers, sockets or
// sessions, so tests call it directly.
//
// A slot is a small number that its owner gives to a session. A slot has at most one due time; a session in flight has
// none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"

namespace sessionlogd {

class Schedule {
 public:
  using Slot = std::uint32_t;

  // Sets or moves the slot's due time.
  void set(Slot slot, SteadyTime due);
  void cancel(Slot slot);

  // The earliest due time, nullopt when nothing is scheduled.
  std::optional<SteadyTime> next_due() const;

  // Takes the slot that has been due the longest; nullopt when none is due at `now`. Of equal times the lowest slot.
  std::optional<Slot> take_due(SteadyTime now);

  std::size_t size() const { return live_; }

 private:
  // Stale when the slot has another due time by now, or none; stale items are dropped when they surface, or when they
  // outnumber the others. A slot that was moved back has two that are right: the first one taken makes the other stale.
  struct Item {
    std::int64_t due_ns;
    Slot slot;
  };
  static constexpr std::size_t kStaleKept = 64;
  static constexpr std::int64_t kNoTime = INT64_MAX;

  // A heap of a million costs ten times one of a thousand, since it is larger than the caches. So of many items only
  // those that are due soon are in the heap. Of the others, which wait in a ring of buckets by their time, there are
  // only the slots: the memory that a poll touches is what counts. What is due after the ring's end waits behind it.
  //
  // The ends of all buckets are written to all the time: there are only as many as stay in the caches, and in reach of
  // the processor's table of pages.
  //
  //   heap ◀── [67 ms][67 ms] ... 1,024 buckets, 69 s ◀── beyond
  static constexpr std::size_t kMany = 4'096;
  static constexpr int kBucketBits = 26;
  static constexpr std::int64_t kBuckets = 1'024;
  static constexpr std::size_t kSpareInBucket = 8;
  static constexpr std::int64_t kAllInHeap = INT64_MAX;

  static bool later(const Item& a, const Item& b);
  static std::int64_t bucket_of(std::int64_t due_ns) { return due_ns >> kBucketBits; }
  bool is_stale(const Item& item) const { return due_ns_[item.slot] != item.due_ns; }
  void put(Slot slot, std::int64_t due_ns);
  void drop_stale();
  void put_all_anew();
  void fill_heap();
  void take_in_beyond();

  std::vector<Item> heap_;  // its front is never stale; not empty unless nothing is scheduled
  std::vector<std::vector<Slot>> ring_;
  std::vector<Slot> beyond_;
  std::int64_t heap_until_ = kAllInHeap;  // the first bucket that is not in the heap
  std::size_t in_ring_ = 0;
  std::vector<std::int64_t> due_ns_;  // by slot
  std::size_t live_ = 0;
};

}  // namespace sessionlogd
