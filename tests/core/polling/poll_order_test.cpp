#include "core/polling/poll_order.h"

#include <gtest/gtest.h>

#include <vector>

namespace sessionlogd {
namespace {

using Urgency = PollOrder::Urgency;
using Slots = std::vector<PollOrder::Slot>;

SteadyTime at(int second) { return SteadyTime(std::chrono::seconds(second)); }

Slots take_all(PollOrder& order, SteadyTime now) {
  Slots taken;
  while (const auto due = order.take_due(now)) taken.push_back(due->slot);
  return taken;
}

TEST(PollOrder, TakesExpectedOnesFirstAndEveryFourthTurnAQuietOne) {
  PollOrder order;
  for (const PollOrder::Slot slot : {1u, 2u, 3u}) order.set(slot, at(1), Urgency::kQuiet);
  for (const PollOrder::Slot slot : {11u, 12u, 13u, 14u, 15u}) order.set(slot, at(5), Urgency::kExpected);
  EXPECT_EQ(order.size(), 8u);
  EXPECT_EQ(order.next_due(), at(1));
  EXPECT_EQ(take_all(order, at(5)), (Slots{11, 12, 13, 1, 14, 15, 2, 3}));
  EXPECT_EQ(order.size(), 0u);
  EXPECT_EQ(order.next_due(), std::nullopt);
}

TEST(PollOrder, TurnsCountOnlyWhileAQuietOneWaits) {
  PollOrder order;
  order.set(1, at(9), Urgency::kQuiet);
  for (const PollOrder::Slot slot : {11u, 12u, 13u, 14u}) order.set(slot, at(5), Urgency::kExpected);
  EXPECT_EQ(take_all(order, at(5)), (Slots{11, 12, 13, 14}));
  order.set(11, at(9), Urgency::kExpected);
  EXPECT_EQ(take_all(order, at(9)), (Slots{11, 1}));
}

TEST(PollOrder, SaysSinceWhenASlotIsDue) {
  PollOrder order;
  order.set(1, at(3), Urgency::kQuiet);
  EXPECT_FALSE(order.take_due(at(2)));
  const auto due = order.take_due(at(8));
  ASSERT_TRUE(due);
  EXPECT_EQ(due->since, at(3));
}

TEST(PollOrder, ASlotHasOneDueTimeWhateverItsUrgency) {
  PollOrder order;
  order.set(1, at(3), Urgency::kQuiet);
  order.set(1, at(4), Urgency::kExpected);
  EXPECT_EQ(order.next_due(), at(4));
  order.set(1, at(5), Urgency::kQuiet);
  EXPECT_EQ(order.size(), 1u);
  order.set(2, at(5), Urgency::kExpected);
  order.cancel(2);
  EXPECT_EQ(take_all(order, at(5)), (Slots{1}));
}

}  // namespace
}  // namespace sessionlogd
