// What remains of sessions that are done: what sweeps say of it, and what a version before has left.
#include <gtest/gtest.h>

#include "core/state/identity.h"
#include "tests/core/polling/session_table_bed.h"

namespace sessionlogd {
namespace {

using Absence = SessionTable::Absence;
using As = SessionTable::TakenIn::As;
using End = SessionTable::End;
using Kind = DoneMark::Kind;
using test::kToday;
using test::named;
using test::row;
using test::SessionTableTest;

class SweptTable : public SessionTableTest {
 protected:
  // A complete sweep at this watched hour that shows the rows. Returns how many marks were dropped.
  std::size_t sweep(int hour, const std::vector<ListedSession>& rows, Absence absence = Absence::kOfAll) {
    table_.begin_sweep();
    for (const ListedSession& one : rows) sweep_shows(one);
    records_.clear();
    return table_.end_sweep(std::chrono::hours{hour}, absence, records_);
  }
};

TEST_F(SweptTable, DropsAMarkThatThreeSweepsInARowDidNotShowOverTheRetention) {
  table_.source().contact_over = true;
  finish(take_in(row(100, "Success")).slot);
  EXPECT_EQ(sweep(0, {row(100, "Success")}), 0u);
  EXPECT_EQ(sweep(100, {}), 0u);
  ASSERT_EQ(records_.size(), 1u);
  EXPECT_TRUE(decode_mark(records_[0].value).absent_since) << "since when is durable";
  EXPECT_EQ(sweep(200, {}), 0u);
  EXPECT_TRUE(records_.empty()) << "and not written again each day";
  EXPECT_EQ(sweep(300, {}), 1u);
  EXPECT_EQ(table_.done(), 0u);
  EXPECT_EQ(records_[0].value, "");
}

TEST_F(SweptTable, KeepsAMarkWithinTheRetentionHoweverManySweepsThereAre) {
  table_.source().contact_over = true;
  settings_.poll.retention = std::chrono::hours{100};
  finish(take_in(row(100, "Success")).slot);
  for (int hour = 0; hour < 100; ++hour) EXPECT_EQ(sweep(hour, {}), 0u);
  EXPECT_EQ(sweep(100, {}), 1u);
}

TEST_F(SweptTable, BeginsAnewWhenAnyListingShowsTheId) {
  table_.source().contact_over = true;
  finish(take_in(row(100, "Success")).slot);
  sweep(0, {});
  sweep(100, {});
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kIgnored);
  EXPECT_EQ(records_.size(), 1u) << "it is there again: durable";
  EXPECT_EQ(sweep(200, {}), 0u);
  EXPECT_EQ(sweep(300, {}), 0u);
  EXPECT_EQ(sweep(400, {}), 1u);
}

TEST_F(SweptTable, KeepsTheMarksOfAnIdTogether) {
  table_.source().contact_over = true;
  const auto first = take_in(row(100, "Success"));
  deliver(first.slot, 7, 5);
  finish(first.slot);
  take_in(row(300, "Running"));
  const auto second = table_.is_another(first.slot, End::kRead, {}, records_);
  for (int hour = 0; hour < 1000; hour += 100) EXPECT_EQ(sweep(hour, {row(300, "Running")}), 0u);
  EXPECT_EQ(table_.done(), 1u) << "the first one's";
  EXPECT_EQ(table_.at(second.slot).state.key, session_key("aws-eu", "38", 1));
}

TEST_F(SweptTable, TakesNothingForAbsentThatTheSweepCouldNotShow) {
  table_.source().contact_over = true;
  finish(take_in(row(0, "Success")).slot);
  for (int hour = 0; hour < 1000; hour += 100) EXPECT_EQ(sweep(hour, {}, Absence::kOfThoseWithStart), 0u);
  for (int hour = 1000; hour < 2000; hour += 100) EXPECT_EQ(sweep(hour, {}, Absence::kProvesNothing), 0u);
  EXPECT_TRUE(records_.empty());
  EXPECT_EQ(table_.done(), 1u);
}

// ---- A state of before

RestoredSource state_of_before(Instant floor, Instant newest) {
  RestoredSource before;
  before.source.listed_to = floor;
  before.source.floor = floor;
  before.done.put(session_key("aws-eu", "newest"),
                  {.kind = Kind::kOld, .digest = row(90, "Success").digest, .latest = newest});
  return before;
}

TEST_F(SessionTableTest, MarksWhatAVersionBeforeHadBeenDoneWith) {
  SessionTable table(settings_, state_of_before({500, 0}, {400, 0}), kToday);
  EXPECT_TRUE(table.source().contact_over);
  EXPECT_EQ(table.take_in(row(399, "Success"), {.ours = kToday}, records_).as, As::kIgnored);
  EXPECT_EQ(decode_mark(records_.back().value).kind, Kind::kBefore);
  EXPECT_EQ(table.take_in(named("39", row(450, "Success")), {}, records_).as, As::kNew)
      << "its newest mark is older: the floor was carried away by a clock";
  EXPECT_EQ(table.take_in(named("40", row(399, "Running")), {}, records_).as, As::kNew) << "it runs";
  table.begin_sweep();
  table.end_sweep(Watched{0}, Absence::kOfAll, records_);
  EXPECT_EQ(table.take_in(named("41", row(399, "Success")), {}, records_).as, As::kNew)
      << "all that there was is marked by now";
  EXPECT_EQ(table.take_in(row(399, "Success"), {}, records_).as, As::kIgnored);
  EXPECT_EQ(table.forget_left_alone({300, 0}, false, records_), 0u);
  EXPECT_EQ(table.forget_left_alone({300, 0}, true, records_), 1u) << "with --again";
}

TEST_F(SessionTableTest, DoesNotBelieveAFloorInTheFuture) {
  SessionTable table(settings_, state_of_before({kToday.seconds + 86'400, 0}, {kToday.seconds + 86'400, 0}), kToday);
  EXPECT_EQ(table.take_in(row(kToday.seconds + 10, "Success"), {}, records_).as, As::kNew);
}

TEST_F(SessionTableTest, OpensAnOldMarkWithItsTime) {
  RestoredSource before;
  before.done.put(session_key("aws-eu", "38"),
                  {.kind = Kind::kOld, .digest = row(100, "Success").digest, .latest = {200, 0}});
  before.kept[session_key("aws-eu", "38")].append(8, 2, 0);
  SessionTable table(settings_, std::move(before), kToday);
  const auto again = table.take_in(row(100, "Running", 2), {}, records_);
  ASSERT_EQ(again.as, As::kNew);
  EXPECT_EQ(table.at(again.slot).state.only_after, (Instant{200, 0}));
  EXPECT_EQ(table.at(again.slot).state.history.key(0), 8u);
  table.finish(again.slot, End::kRead, kToday, records_);
  EXPECT_EQ(table.take_in(row(100, "Running", 3), {}, records_).as, As::kNew);
}

TEST_F(SessionTableTest, TakesALaterStartUnderAnOldMarkForAnotherSession) {
  RestoredSource before;
  before.done.put(session_key("aws-eu", "38"),
                  {.kind = Kind::kOld, .digest = row(100, "Success").digest, .latest = {200, 0}});
  SessionTable table(settings_, std::move(before), kToday);
  const auto taken = table.take_in(row(300, "Running"), {}, records_);
  EXPECT_EQ(table.at(taken.slot).state.key, session_key("aws-eu", "38", 1));
}

}  // namespace
}  // namespace sessionlogd
