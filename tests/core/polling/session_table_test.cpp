#include "core/polling/session_table.h"

#include "core/state/identity.h"
#include "tests/core/polling/session_table_bed.h"

namespace sessionlogd {
namespace {

using As = SessionTable::TakenIn::As;
using Kind = DoneMark::Kind;
using test::kToday;
using test::named;
using test::row;
using test::SessionTableTest;

TEST_F(SessionTableTest, CountsWhatWaitsToBeReadWithItsTexts) {
  ListedSession listed = row(500, "Running");
  listed.name = std::string(1'000, 'n');
  const auto slot = take_in(listed).slot;
  const std::size_t with_name = table_.waiting_bytes();
  EXPECT_GT(with_name, 1'000u);
  listed.name = "n";
  take_in(listed);
  EXPECT_LT(table_.waiting_bytes(), with_name - 990);
  const auto other = take_in(named("39", row(600, "Running"))).slot;
  table_.enter(slot, Phase::kOpen, records_);
  const std::size_t of_other = table_.waiting_bytes();
  EXPECT_LT(of_other, with_name);
  finish(other);
  EXPECT_EQ(table_.waiting_bytes(), 0u);
  finish(slot);
  EXPECT_EQ(table_.waiting_bytes(), 0u);
}

TEST_F(SessionTableTest, RemembersWhatANewListingShows) {
  const auto taken = take_in(row(100, "Running"));
  EXPECT_EQ(taken.as, As::kNew);
  ASSERT_EQ(records_.size(), 1u);
  EXPECT_EQ(records_[0].session_key, session_key("aws-eu", "38"));
  EXPECT_EQ(take_in(row(100, "Running")).as, As::kKnown);
  EXPECT_TRUE(records_.empty()) << "nothing has changed";
  EXPECT_EQ(take_in(row(100, "Success", 2)).as, As::kFinished);
  EXPECT_EQ(records_.size(), 1u);
}

TEST_F(SessionTableTest, LeavesADoneSessionAlone) {
  finish(take_in(row(100, "Success")).slot);
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(table_.done(), 1u);
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kIgnored);
  EXPECT_TRUE(records_.empty());
}

TEST_F(SessionTableTest, NamesTheDoneSessionsOfTheLastDayWhoseRowsAreAsTheyWere) {
  const Instant before{kToday.seconds - 86'400, 0}, after{kToday.seconds + 1, 0};
  const auto slot = take_in(row(100, "Success")).slot;
  EXPECT_FALSE(table_.delivered_since(row(100, "Success"), before)) << "it is open";
  finish(slot);
  EXPECT_EQ(table_.delivered_since(row(100, "Success"), before), session_key("aws-eu", "38"));
  EXPECT_EQ(table_.delivered_since(before), 1u);
  EXPECT_FALSE(table_.delivered_since(row(100, "Success"), after));
  EXPECT_EQ(table_.delivered_since(after), 0u);
  EXPECT_FALSE(table_.delivered_since(row(100, "Success", 2), before)) << "its row opens it again";
  EXPECT_FALSE(table_.delivered_since(row(200, "Success"), before)) << "it may be another session";
  EXPECT_FALSE(table_.delivered_since(named("39", row(100, "Success")), before)) << "not known";
  // Left alone: nothing of it was delivered.
  table_.leave_alone(take_in(named("40", row(300, "Success"))).slot, kToday, records_);
  EXPECT_FALSE(table_.delivered_since(named("40", row(300, "Success")), before));
}

TEST_F(SessionTableTest, OpensADoneSessionAgainThoughItsRowIsTheSame) {
  const auto slot = take_in(row(100, "Success")).slot;
  deliver(slot, 7, 70);
  finish(slot);
  const std::uint64_t key = session_key("aws-eu", "38");
  const auto known = table_.as_delivered(key, "38");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->history.size(), 1u);
  EXPECT_TRUE(table_.as_delivered(key, "38")) << "looking takes nothing";

  records_.clear();
  const auto taken = table_.open_again(row(100, "Success"), {.inquiry = ++inquiry_}, records_);
  EXPECT_EQ(taken.as, As::kNew);
  EXPECT_TRUE(taken.is_opened_again);
  EXPECT_EQ(table_.at(taken.slot).state.history.size(), 1u);
  EXPECT_FALSE(records_.empty());
  EXPECT_FALSE(table_.as_delivered(key, "38")) << "it is open";
  const auto again = table_.open_again(row(100, "Success"), {.inquiry = ++inquiry_}, records_);
  EXPECT_EQ(again.as, As::kKnown);
}

TEST_F(SessionTableTest, CountsSessionsByPhase) {
  using Counts = std::array<std::size_t, 4>;  // waiting, open, settling, done
  const auto taken = take_in(row(100, "Running"));
  EXPECT_EQ(table_.phases(), (Counts{1, 0, 0, 0}));
  table_.enter(taken.slot, Phase::kOpen, records_);
  EXPECT_EQ(table_.phases(), (Counts{0, 1, 0, 0}));
  table_.enter(taken.slot, Phase::kSettling, records_);
  const auto second = take_in(named("39", row(300, "Running")));
  EXPECT_EQ(table_.phases(), (Counts{1, 0, 1, 0}));
  finish(taken.slot);
  EXPECT_EQ(table_.phases(), (Counts{1, 0, 0, 1}));
  finish(second.slot);
  take_in(row(100, "Running", 2));
  EXPECT_EQ(table_.phases(), (Counts{1, 0, 0, 1})) << "opened again";
}

// ---- Known, or news: whatever the times say

TEST_F(SessionTableTest, TakesUpWhatNobodyKnowsHoweverOldItLooks) {
  table_.source().line = kToday;
  table_.source().contact_over = true;
  table_.source().listed_to = Instant{kToday.seconds + 1'000'000, 0};
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kNew);
  EXPECT_EQ(sweep_shows(named("39", row(-1'000'000, "Success"))).as, As::kNew);
}

TEST_F(SessionTableTest, LeavesAloneAtFirstContactWhatEndedAndBeganBeforeTheLine) {
  table_.source().line = Instant{1'000, 0};
  EXPECT_EQ(sweep_shows(row(999, "Success")).as, As::kIgnored);
  ASSERT_EQ(records_.size(), 1u);
  EXPECT_EQ(decode_mark(records_[0].value).kind, Kind::kLeftAlone);
  EXPECT_EQ(decode_mark(records_[0].value).start, (Instant{999, 0}));
  EXPECT_EQ(table_.left_alone(), 1u);
  EXPECT_EQ(sweep_shows(named("2", row(1'000, "Success"))).as, As::kNew);
  EXPECT_EQ(sweep_shows(named("3", row(999, "Running"))).as, As::kNew) << "it runs";
  EXPECT_EQ(sweep_shows(named("4", row(0, "Success"))).as, As::kNew) << "nobody knows when it began";
  EXPECT_EQ(take_in(named("5", row(999, "Success"))).as, As::kNew) << "of a window: its zone may be another";
}

TEST_F(SessionTableTest, LeavesAloneAtFirstContactWhatNoWindowShouldShow) {
  table_.source().line = kToday;
  const std::int64_t day_before = kToday.seconds - 26 * 3'600;
  EXPECT_EQ(take_in(named("1", row(day_before - 1, "Success"))).as, As::kIgnored);
  EXPECT_EQ(take_in(named("2", row(day_before, "Success"))).as, As::kNew);
  EXPECT_EQ(take_in(named("3", row(day_before - 1, "Running"))).as, As::kNew);
  table_.source().contact_over = true;
  EXPECT_EQ(take_in(named("4", row(day_before - 1, "Success"))).as, As::kNew);
}

TEST_F(SessionTableTest, OpensWhatWasLeftAloneAndRanAgainBeforeFirstContactIsOver) {
  table_.source().line = Instant{1'000, 0};
  ListedSession listed = row(999, "Success");
  listed.stop_hash = 1;
  EXPECT_EQ(sweep_shows(listed).as, As::kIgnored);
  listed.digest = listed.old_digest = row(999, "Success", 2).digest;
  EXPECT_EQ(sweep_shows(listed).as, As::kIgnored) << "it stopped when it had";
  listed.stop_hash = 2;
  listed.digest = listed.old_digest = row(999, "Success", 3).digest;
  EXPECT_EQ(sweep_shows(listed).as, As::kNew);
}

TEST_F(SessionTableTest, RemembersThatASessionWasRead) {
  const auto slot = take_in(row(100, "Running")).slot;
  for (const Phase phase : {Phase::kOpen, Phase::kSettling}) {
    records_.clear();
    table_.enter(slot, phase, records_);
    ASSERT_EQ(records_.size(), 1u);
    EXPECT_EQ(decode_session(records_[0].value).phase, phase);
    table_.enter(slot, phase, records_);
    EXPECT_EQ(records_.size(), 1u) << "nothing has changed";
  }
}

TEST_F(SessionTableTest, TakesTheStartOfAQueuedSessionForAPlan) {
  Dialect dialect = *settings_.dialect;
  dialect.sessions.queued_words = {"NeverExecuted"};
  settings_.dialect = std::make_shared<const Dialect>(std::move(dialect));
  const auto slot = take_in(row(500, "NeverExecuted")).slot;
  deliver(slot, 1, 1);
  EXPECT_EQ(take_in(row(700, "Running")).as, As::kChanged);
  EXPECT_FALSE(table_.at(slot).is_disputed());
  EXPECT_EQ(take_in(row(900, "Running")).as, As::kDisputed) << "it has begun";
}

TEST_F(SessionTableTest, LeavesAloneTypesThatAreNotWantedAtAnyTime) {
  settings_.session_types.exclude = {"Retention"};
  ListedSession unwanted = row(100, "Running");
  unwanted.type = "Retention";
  EXPECT_EQ(take_in(unwanted).as, As::kIgnored);
  unwanted.status = "Success";
  unwanted.digest = unwanted.old_digest = row(100, "Success", 2).digest;
  EXPECT_EQ(take_in(unwanted).as, As::kIgnored);
  EXPECT_EQ(table_.done(), 1u);
  settings_.session_types.exclude = {};
  EXPECT_EQ(take_in(unwanted).as, As::kIgnored) << "what was left alone stays so";
}

TEST_F(SessionTableTest, TakesUpWhatWasLeftAloneWhenItRunsAgainOrHasAnotherStopOrStart) {
  const auto left_alone = [&](ListedSession later) {
    SessionTable table(settings_, {}, kToday);
    table.source().line = kToday;
    ListedSession first = row(100, "Success");
    first.stop_hash = 7;
    std::vector<StateRecord> records;
    table.take_in(first, {.by_sweep = true}, records);
    table.source().contact_over = true;
    return table.take_in(later, {}, records).as;
  };
  ListedSession same_stop = row(100, "Success", 2);
  same_stop.stop_hash = 7;
  EXPECT_EQ(left_alone(same_stop), As::kIgnored) << "any other change of its row is adopted";
  EXPECT_EQ(left_alone(row(100, "Running", 2)), As::kNew);
  EXPECT_EQ(left_alone(row(100, "Success", 2)), As::kNew) << "another stop";
  ListedSession other_start = row(300, "Success", 2);
  other_start.stop_hash = 7;
  EXPECT_EQ(left_alone(other_start), As::kNew);
}

// With the digests that it has where a listing shows it.
ListedSession ran(std::int64_t start, std::int64_t stop, std::string status = "Success") {
  ListedSession listed = row(start, std::move(status));
  if (stop != 0) listed.stop = ReadTime{{stop, 0}, true};
  listed.digest = 1;
  return before_shift(listed, {});
}

TEST_F(SessionTableTest, LeavesAloneWhatWasLeftAloneWhenStartAndStopAreShiftedAlike) {
  constexpr std::int64_t kHour = 3'600;
  struct Case {
    ListedSession later;
    As as;
  };
  const Case cases[] = {
      {ran(100 + kHour, 160 + kHour), As::kIgnored},
      {ran(100 - 26 * kHour, 160 - 26 * kHour), As::kIgnored},
      {ran(100 + kHour, 161 + kHour), As::kNew},
      {ran(100 + kHour, 160), As::kNew},
      {ran(101 + kHour, 161 + kHour), As::kNew},
      {ran(100 + kHour, 0), As::kNew},
      {ran(100 + kHour, 160 + kHour, "Running"), As::kNew},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.later.start->instant.seconds);
    SessionTable table(settings_, {}, kToday);
    table.source().line = kToday;
    std::vector<StateRecord> records;
    table.take_in(ran(100, 160), {.by_sweep = true}, records);
    table.source().contact_over = true;
    const auto taken = table.take_in(c.later, {}, records);
    EXPECT_EQ(taken.as, c.as);
    EXPECT_EQ(static_cast<bool>(taken.shift), c.as == As::kIgnored);
    if (c.as != As::kIgnored) continue;
    EXPECT_FALSE(table.take_in(c.later, {}, records).shift) << "it is adopted";
  }
}

TEST_F(SessionTableTest, BelievesOfDoneSessionsAShiftThatTheEntriesOfOneHaveShown) {
  constexpr TimeShift kHour{4};
  for (const std::string id : {"1", "2", "3"}) {
    const auto taken = take_in(named(id, ran(100, 160)));
    deliver(taken.slot, 7, 5);
    finish(taken.slot);
  }
  const auto disputed = take_in(named("1", ran(3'700, 3'760)));
  ASSERT_EQ(disputed.as, As::kNew) << "nothing shows it yet";
  ASSERT_TRUE(table_.at(disputed.slot).is_disputed());
  table_.at(disputed.slot).state.shift = kHour;
  table_.believe(kHour);
  table_.is_same(disputed.slot, {}, records_);
  finish(disputed.slot);
  EXPECT_EQ(take_in(named("1", ran(3'700, 3'760))).as, As::kIgnored);

  const auto second = take_in(named("2", ran(3'700, 3'760)));
  EXPECT_EQ(second.as, As::kIgnored);
  EXPECT_EQ(second.shift, kHour);
  EXPECT_EQ(table_.as_delivered(session_key("aws-eu", "2"), "2")->shift, kHour);
  EXPECT_FALSE(take_in(named("2", ran(3'700, 3'760))).shift) << "it is adopted";
  EXPECT_EQ(take_in(named("3", ran(3'700, 3'761))).as, As::kNew) << "another stop";
}

TEST_F(SessionTableTest, MakesNewsAgainOfWhatWasLeftAlone) {
  table_.source().line = Instant{1'000, 0};
  sweep_shows(named("old", row(100, "Success")));
  sweep_shows(named("older", row(50, "Success")));
  finish(take_in(named("done", row(200, "Success"))).slot);
  records_.clear();
  EXPECT_EQ(table_.forget_left_alone({100, 0}, false, records_), 1u);
  EXPECT_EQ(table_.source().line, (Instant{100, 0})) << "the line moves back";
  EXPECT_EQ(decode_source(records_.back().value).line, (Instant{100, 0})) << "durably";
  EXPECT_EQ(sweep_shows(named("old", row(100, "Success"))).as, As::kNew);
  EXPECT_EQ(sweep_shows(named("older", row(50, "Success"))).as, As::kIgnored);
  EXPECT_EQ(sweep_shows(named("done", row(200, "Success"))).as, As::kIgnored) << "what was delivered is not repeated";
}

TEST_F(SessionTableTest, LeavesWhatIsKnownKnownWhenItIsLeftAlone) {
  const auto taken = take_in(row(100, "Success"));
  deliver(taken.slot, 7, 5);
  finish(taken.slot);
  const auto again = take_in(row(100, "Success", 2));
  ASSERT_EQ(again.as, As::kNew);
  EXPECT_TRUE(again.is_opened_again);
  table_.leave_alone(again.slot, kToday, records_);
  EXPECT_EQ(take_in(row(100, "Success", 2)).as, As::kIgnored);
  EXPECT_EQ(table_.forget_left_alone(kNever, true, records_), 0u);

  const auto fresh = take_in(named("39", row(100, "Success")));
  EXPECT_FALSE(fresh.is_opened_again);
  table_.leave_alone(fresh.slot, kToday, records_);
  EXPECT_EQ(take_in(named("39", row(100, "Success"))).as, As::kIgnored);
  EXPECT_EQ(table_.forget_left_alone(kNever, false, records_), 1u);
}

TEST_F(SessionTableTest, TakesUpAtOnceWhatWasLeftAloneLateAndRanAgain) {
  ListedSession first = row(100, "Success"), again = row(100, "Success", 2);
  first.stop_hash = 7;
  again.stop_hash = 8;
  table_.leave_alone(take_in(first).slot, kToday, records_);
  EXPECT_EQ(take_in(again).as, As::kNew);
}

// ---- Opened again

TEST_F(SessionTableTest, OpensADoneSessionWithItsFingerprintsWhenItsRowChanges) {
  const auto taken = take_in(row(100, "Success"));
  deliver(taken.slot, 0x1111'2222'3333'4444, 5);
  finish(taken.slot);
  const auto again = take_in(row(100, "Running", 2));
  ASSERT_EQ(again.as, As::kNew);
  const SessionState& state = table_.at(again.slot).state;
  EXPECT_EQ(state.key, session_key("aws-eu", "38"));
  ASSERT_EQ(state.history.size(), 1u);
  EXPECT_EQ(state.history.key(0), 0x3333'4444u);
  EXPECT_EQ(state.history.hash(0), 5u);
  EXPECT_EQ(state.only_after, kNever) << "no time says what is known";
  EXPECT_EQ(table_.done(), 0u);
}

TEST_F(SessionTableTest, OpensADoneSessionWithItsSumWhereFingerprintsHadToGo) {
  table_.set_fingerprint_bytes(0);
  const auto taken = take_in(row(100, "Success"));
  deliver(taken.slot, 7, 5);
  const std::uint32_t sum = table_.at(taken.slot).state.history.sum();
  finish(taken.slot);
  EXPECT_EQ(table_.fingerprint_bytes(), 0u);
  EXPECT_TRUE(records_.back().value.empty()) << "they are gone from the state, too";
  const auto again = take_in(row(100, "Running", 2));
  EXPECT_EQ(table_.at(again.slot).state.delivered_sum, sum);
  EXPECT_EQ(table_.at(again.slot).state.only_after, kToday) << "what was written since the mark was made is news";
}

// What is known then, a gap, must not stand for all that was delivered.
TEST_F(SessionTableTest, KeepsTheSumOfASessionThatWasOpenedAgainAndNeverRead) {
  table_.set_fingerprint_bytes(0);
  const auto taken = take_in(row(100, "Success"));
  deliver(taken.slot, 7, 5);
  const std::uint32_t sum = table_.at(taken.slot).state.history.sum();
  finish(taken.slot);
  table_.set_fingerprint_bytes(1u << 20);
  const auto again = take_in(row(100, "Running", 2));
  deliver(again.slot, 99, 0);
  finish(again.slot);
  const auto third = take_in(row(100, "Running", 3));
  EXPECT_EQ(table_.at(third.slot).state.delivered_sum, sum);
  EXPECT_EQ(table_.at(third.slot).state.history.size(), 0u);
}

TEST_F(SessionTableTest, AdoptsADigestThatDiffersByItsReadingOnly) {
  finish(take_in(row(100, "Success", 1)).slot);
  ListedSession read_anew = row(100, "Success", 9);
  read_anew.old_digest = row(100, "Success", 1).digest;
  EXPECT_EQ(take_in(read_anew).as, As::kIgnored);
  EXPECT_EQ(records_.size(), 1u);
  EXPECT_EQ(take_in(row(100, "Success", 9)).as, As::kIgnored);
}

// Nothing tells a row that is only read otherwise from that of a session that has run again.
TEST_F(SessionTableTest, OpensADoneSessionThoughWhatReadsItsRowHasChanged) {
  table_.source().reading = 1;  // of another api_version, say
  finish(take_in(row(100, "Success", 1)).slot);
  EXPECT_EQ(take_in(row(100, "Success", 2)).as, As::kNew);
}

TEST_F(SessionTableTest, AsksForOpenSessionsThatAnInquiryDoesNotShow) {
  take_in(row(100, "Running"));
  EXPECT_TRUE(table_.open_but_not_in(inquiry_).empty());
  EXPECT_EQ(table_.open_but_not_in(inquiry_ + 1), std::vector<std::string>{"38"});
}

TEST_F(SessionTableTest, ReadsOnceWhatEndedLongAgoByBothClocks) {
  const auto is_last = [&](std::int64_t stop, Instant ours, Instant theirs) {
    ListedSession listed = row(100, "Success");
    listed.stop = ReadTime{{stop, 0}, true};
    SessionTable table(settings_, {}, kToday);
    const auto taken = table.take_in(listed, {.ended_long_ago_counts = true, .ours = ours, .theirs = theirs}, records_);
    return table.at(taken.slot).life.is_last(Watched{1}, settings_.poll.settle);
  };
  const std::int64_t day = 86'400;
  const Instant later{kToday.seconds + 3 * day, 0};
  EXPECT_TRUE(is_last(kToday.seconds - 2 * day, kToday, kToday));
  EXPECT_FALSE(is_last(kToday.seconds - 10, kToday, kToday));
  EXPECT_FALSE(is_last(kToday.seconds - day - 3'600, kToday, kToday)) << "in another zone it may have ended just now";
  EXPECT_FALSE(is_last(kToday.seconds - 10, kToday, later)) << "the source's clock is ahead";
  EXPECT_FALSE(is_last(kToday.seconds - 10, later, kToday)) << "ours is";
}

}  // namespace
}  // namespace sessionlogd
