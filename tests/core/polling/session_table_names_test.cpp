// The sessions that an id names, one after the other: which of them a row means.
#include <gtest/gtest.h>

#include "core/state/identity.h"
#include "tests/core/polling/session_table_bed.h"

namespace sessionlogd {
namespace {

using As = SessionTable::TakenIn::As;
using End = SessionTable::End;
using Kind = DoneMark::Kind;
using test::kToday;
using test::named;
using test::row;
using test::SessionTableTest;

TEST_F(SessionTableTest, CorrectsTheStartOfASessionOfWhichNothingIsKnown) {
  const auto first = take_in(row(100, "Running"));
  const auto corrected = take_in(row(300, "Running"));
  EXPECT_EQ(corrected.as, As::kChanged);
  EXPECT_EQ(corrected.slot, first.slot);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(SessionTableTest, OpensASessionThatWasGivenUpWhenItIsShownAgain) {
  const auto first = take_in(row(100, "Success"));
  deliver(first.slot, 7, 5);
  table_.finish(first.slot, End::kGivenUp, kToday, records_);
  const auto again = take_in(row(100, "Success"));
  ASSERT_EQ(again.as, As::kNew);
  EXPECT_EQ(table_.at(again.slot).state.history.size(), 1u);
  finish(again.slot);
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kIgnored);
}

TEST_F(SessionTableTest, LetsTheLogTellACorrectedStartFromAnotherSession) {
  const auto first = take_in(row(100, "Running"));
  deliver(first.slot, 7, 5);
  EXPECT_EQ(take_in(row(300, "Running")).as, As::kDisputed);
  EXPECT_EQ(take_in(row(300, "Running")).as, As::kKnown) << "it is being asked for";
  EXPECT_EQ(table_.size(), 1u);

  records_.clear();
  const auto same = table_.is_same(first.slot, {}, records_);
  EXPECT_EQ(same.slot, first.slot);
  EXPECT_EQ(take_in(row(300, "Running")).as, As::kKnown);
  EXPECT_EQ(take_in(row(500, "Running")).as, As::kDisputed);

  const auto other = table_.is_another(first.slot, End::kRead, {}, records_);
  ASSERT_EQ(other.as, As::kNew);
  EXPECT_EQ(key_of(other), session_key("aws-eu", "38", 1));
  EXPECT_EQ(table_.done(), 1u);
  EXPECT_EQ(take_in(row(500, "Running")).as, As::kKnown);
  EXPECT_EQ(take_in(row(300, "Running")).as, As::kIgnored) << "the one before is asked first";
}

TEST_F(SessionTableTest, LetsTheLogTellAnotherSessionUnderADoneId) {
  const auto first = take_in(row(100, "Success"));
  deliver(first.slot, 7, 5);
  finish(first.slot);
  const auto disputed = take_in(row(300, "Running"));
  ASSERT_EQ(disputed.as, As::kNew);
  EXPECT_TRUE(table_.at(disputed.slot).is_disputed());
  EXPECT_EQ(key_of(disputed), session_key("aws-eu", "38"));
  const auto other = table_.is_another(disputed.slot, End::kRead, {}, records_);
  EXPECT_EQ(key_of(other), session_key("aws-eu", "38", 1));
  finish(other.slot);
  EXPECT_EQ(take_in(row(300, "Running")).as, As::kIgnored);
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kIgnored) << "its mark is as it was";
  EXPECT_EQ(take_in(row(100, "Success", 2)).as, As::kNew);
}

TEST_F(SessionTableTest, DisputesAgainAfterARestart) {
  const auto first = take_in(row(100, "Success"));
  deliver(first.slot, 7, 5);
  finish(first.slot);
  take_in(row(300, "Running"));
  SessionTable after(settings_, table_.release(), kToday);
  EXPECT_EQ(after.take_in(row(300, "Running"), {.inquiry = 1}, records_).as, As::kDisputed);
}

TEST_F(SessionTableTest, KnowsALaterSessionOfAnIdAlthoughTheMarkOfTheFirstIsGone) {
  RestoredSource before;
  before.done.put(session_key("aws-eu", "38", 1), {.kind = Kind::kOld, .digest = row(300, "Success").digest});
  SessionTable table(settings_, std::move(before), kToday);
  EXPECT_EQ(table.take_in(row(300, "Success"), {}, records_).as, As::kIgnored);
}

TEST_F(SessionTableTest, NamesTheOtherOpenSessionsOfAnIdWhereTheStartTellsWhichItMeans) {
  const auto first = take_in(row(100, "Running"));
  deliver(first.slot, 7, 5);
  take_in(row(300, "Running"));
  const auto second = table_.is_another(first.slot, End::kGivenUp, {}, records_);
  EXPECT_FALSE(table_.has_others(second.slot)) << "the first is done";
  const auto back = take_in(row(100, "Running"));
  ASSERT_EQ(back.as, As::kNew);
  ASSERT_EQ(key_of(back), session_key("aws-eu", "38"));
  EXPECT_TRUE(table_.has_others(second.slot));
  EXPECT_EQ(table_.others_of(row(100, "Running")), std::vector{second.slot});
  EXPECT_EQ(table_.others_of(row(300, "Running")), std::vector{back.slot});
  EXPECT_TRUE(table_.others_of(row(500, "Running")).empty()) << "its log is to tell";
  EXPECT_TRUE(table_.others_of(row(0, "Running")).empty()) << "it may be either";
  EXPECT_TRUE(table_.others_of(named("39", row(100, "Running"))).empty());
}

// The start of the session of an id that is one too many, where they begin 100 s apart.
constexpr std::int64_t kOneMore = 100 * (1 + std::int64_t{SessionTable::kMostYoung});

TEST_F(SessionTableTest, PutsOffOneSessionMoreOfAnIdWithinAnHour) {
  const auto shown = [&](std::int64_t start, Instant ours) {
    records_.clear();
    return table_.take_in(row(start, "Success"), {.inquiry = ++inquiry_, .ours = ours}, records_);
  };
  auto taken = shown(100, kToday);
  deliver(taken.slot, 7, 5);
  finish(taken.slot);
  for (std::int64_t start = 200; start < kOneMore; start += 100) {
    const auto disputed = shown(start, kToday);
    ASSERT_EQ(disputed.as, As::kNew);
    taken = table_.is_another(disputed.slot, End::kRead, {.ours = kToday}, records_);
    deliver(taken.slot, static_cast<std::uint64_t>(start), 5);
    finish(taken.slot);
  }
  const Instant soon{kToday.seconds + 3'599, 0}, later{kToday.seconds + 3'600, 0};
  EXPECT_TRUE(shown(kOneMore, soon).is_put_off);
  EXPECT_EQ(shown(kOneMore, soon).as, As::kIgnored);
  EXPECT_TRUE(records_.empty());
  EXPECT_FALSE(shown(kOneMore - 100, soon).is_put_off) << "it is known";
  EXPECT_EQ(shown(kOneMore, later).as, As::kNew) << "it is late, not dropped";
}

// What its log holds tells nothing, and is not asked for either.
TEST_F(SessionTableTest, PutsOffOneSessionMoreOfAnIdWhileTheLastRuns) {
  auto taken = take_in(row(100, "Running"));
  for (std::int64_t start = 200; start < kOneMore; start += 100) {
    deliver(taken.slot, static_cast<std::uint64_t>(start), 5);
    ASSERT_EQ(take_in(row(start, "Running")).as, As::kDisputed);
    taken = table_.is_another(taken.slot, End::kGivenUp, {.ours = kToday}, records_);
  }
  deliver(taken.slot, 7, 5);
  EXPECT_TRUE(take_in(row(kOneMore, "Running")).is_put_off);
  EXPECT_FALSE(table_.at(taken.slot).is_disputed());
  EXPECT_TRUE(table_.open_but_not_in(inquiry_).empty()) << "its id was shown";
}

}  // namespace
}  // namespace sessionlogd
