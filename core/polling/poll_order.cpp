#include "core/polling/poll_order.h"

#include <algorithm>

namespace sessionlogd {

void PollOrder::set(Slot slot, SteadyTime due, Urgency urgency) {
  const bool expected = urgency == Urgency::kExpected;
  (expected ? quiet_ : expected_).cancel(slot);
  (expected ? expected_ : quiet_).set(slot, due);
}

void PollOrder::cancel(Slot slot) {
  expected_.cancel(slot);
  quiet_.cancel(slot);
}

std::optional<SteadyTime> PollOrder::next_due() const {
  const auto a = expected_.next_due(), b = quiet_.next_due();
  return a && b ? std::min(a, b) : a ? a : b;
}

std::optional<PollOrder::Due> PollOrder::take_due(SteadyTime now) {
  if (turns_ < kTurnsBeforeQuiet) {
    if (const auto due = take(Urgency::kExpected, now)) {
      const auto waits = quiet_.next_due();
      turns_ = waits && *waits <= now ? turns_ + 1 : 0;
      return due;
    }
  }
  turns_ = 0;
  if (const auto due = take(Urgency::kQuiet, now)) return due;
  return take(Urgency::kExpected, now);
}

std::optional<PollOrder::Due> PollOrder::take(Urgency urgency, SteadyTime now) {
  Schedule& from = urgency == Urgency::kExpected ? expected_ : quiet_;
  const auto since = from.next_due();
  const auto slot = from.take_due(now);
  if (!slot) return std::nullopt;
  return Due{*slot, *since, urgency};
}

}  // namespace sessionlogd
