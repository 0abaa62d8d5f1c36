// Decides which of a source's due sessions is polled next. That matters where the source's budget cannot keep all of
// them at their pace: then those come first of which something is expected, and the quiet ones have one turn in four,
// so that none waits for ever.
#pragma once

#include <cstddef>
#include <optional>

#include "core/base/clock.h"
#include "core/polling/schedule.h"

namespace sessionlogd {

class PollOrder {
 public:
  using Slot = Schedule::Slot;

  enum class Urgency {
    kExpected,  // it grew when it was read last, was never read, or has just finished
    kQuiet,     // it did not grow, settles, failed, or had finished before it was known
  };

  // Sets or moves the slot's due time.
  void set(Slot slot, SteadyTime due, Urgency urgency);
  void cancel(Slot slot);

  // The earliest due time, nullopt when nothing is scheduled.
  std::optional<SteadyTime> next_due() const;

  struct Due {
    Slot slot;
    SteadyTime since;
    Urgency urgency;
  };
  // Takes the slot whose turn it is; of equal urgency that which has been due the longest.
  std::optional<Due> take_due(SteadyTime now);

  std::size_t size() const { return expected_.size() + quiet_.size(); }

 private:
  static constexpr unsigned kTurnsBeforeQuiet = 3;

  std::optional<Due> take(Urgency urgency, SteadyTime now);

  Schedule expected_, quiet_;
  unsigned turns_ = 0;  // that the quiet ones have waited for
};

}  // namespace sessionlogd
