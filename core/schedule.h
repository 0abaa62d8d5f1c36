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

#include "core/clock.h"

namespace sessionlogd {

class Schedule {
 public:
  using Slot = std::uint32_t;

  // Sets or moves the slot's due time.
  void set(Slot slot, SteadyTime due);
  void cancel(Slot slot);

  // The earliest due time, nullopt when nothing is scheduled.
  std::optional<SteadyTime> next_due() const;

  // Takes the slot that has been due the longest; nullopt when none is due at `now`. Of equal times, in order of set().
  std::optional<Slot> take_due(SteadyTime now);

  std::size_t size() const { return live_; }

 private:
  // 16 bytes; stale items (the slot was moved or cancelled) are dropped when they surface, or when they outnumber the
  // others.
  struct Item {
    std::int64_t due_ns;
    Slot slot;
    std::uint32_t stamp;
  };
  static constexpr std::size_t kStaleKept = 64;

  static bool later(const Item& a, const Item& b);
  bool is_stale(const Item& item) const { return stamps_[item.slot] != item.stamp; }
  void drop_stale();
  void compact();

  std::vector<Item> heap_;             // its front is never stale
  std::vector<std::uint32_t> stamps_;  // by slot: the stamp of its only valid item, 0 = none
  std::uint32_t next_stamp_ = 1;
  std::size_t live_ = 0;
};

// The pace of one session: `interval` while it grows, doubling to `max_interval` while it is quiet.
class Pace {
 public:
  // What the last poll gave.
  enum class News { kChanged, kUnchanged };

  // The wait until the next poll: doubled by each quiet poll, the first one included. A max_interval below interval
  // counts as interval.
  std::chrono::milliseconds after(News news, std::chrono::milliseconds interval,
                                  std::chrono::milliseconds max_interval);

 private:
  std::uint8_t quiet_polls_ = 0;  // saturates
};

}  // namespace sessionlogd
