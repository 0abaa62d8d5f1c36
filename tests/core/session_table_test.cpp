#include "core/session_table.h"

#include <gtest/gtest.h>

#include "core/identity.h"
#include "core/refusals.h"

namespace sessionlogd {
namespace {

using As = SessionTable::TakenIn::As;

constexpr Instant kNow{1'000'000, 0};

SourceSettings source() {
  Dialect dialect;
  dialect.sessions.final_words = {"Success"};
  SourceSettings settings;
  settings.id = settings.name = "aws-eu";
  settings.dialect = std::make_shared<const Dialect>(std::move(dialect));
  return settings;
}

// What a listing says of the session "38" that began at `start`; `usn` stands for everything else in its digest.
ListedSession row(std::int64_t start, std::string status, std::uint32_t usn = 1) {
  ListedSession session;
  session.id = "38";
  session.status = std::move(status);
  session.start = ReadTime{{start, 0}, true};
  session.digest = static_cast<std::uint64_t>(start) << 32 | usn;
  session.shown = {kNow, kNow};
  return session;
}

class SessionTableTest : public testing::Test {
 protected:
  SessionTable::TakenIn take_in(const ListedSession& listed) {
    records_.clear();
    return table_.take_in(listed, records_);
  }
  void finish(Schedule::Slot slot, Instant latest) {
    table_.at(slot).state.latest = latest;
    table_.finish(slot, records_);
  }

  SourceSettings settings_ = source();
  SessionTable table_{settings_, {}};
  std::vector<StateRecord> records_;
};

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
  const auto taken = take_in(row(100, "Success"));
  finish(taken.slot, {200, 0});
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(table_.done(), 1u);
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kIgnored);
}

TEST_F(SessionTableTest, CountsSessionsByPhase) {
  using Counts = std::array<std::size_t, 4>;  // waiting, open, settling, done
  const auto taken = take_in(row(100, "Running"));
  EXPECT_EQ(table_.phases(), (Counts{1, 0, 0, 0}));
  table_.enter(taken.slot, Phase::kOpen);
  EXPECT_EQ(table_.phases(), (Counts{0, 1, 0, 0}));
  table_.enter(taken.slot, Phase::kSettling);
  const auto second = take_in(row(300, "Running"));
  EXPECT_EQ(table_.phases(), (Counts{1, 0, 1, 0}));
  finish(taken.slot, {200, 0});
  EXPECT_EQ(table_.phases(), (Counts{1, 0, 0, 1}));
  finish(second.slot, {400, 0});
  take_in(row(100, "Running", 2));
  EXPECT_EQ(table_.phases(), (Counts{1, 0, 0, 1})) << "opened again";
}

TEST_F(SessionTableTest, ReadsADoneSessionAgainWhenTheListingSaysNewsOfIt) {
  finish(take_in(row(100, "Success")).slot, {200, 0});
  const auto again = take_in(row(100, "Running", 2));
  ASSERT_EQ(again.as, As::kNew);
  EXPECT_EQ(table_.at(again.slot).state.key, session_key("aws-eu", "38"));
  EXPECT_EQ(table_.at(again.slot).state.only_after, (Instant{200, 0}));
  EXPECT_EQ(table_.done(), 0u);
}

TEST_F(SessionTableTest, TakesAnotherStartUnderADoneIdForAnotherSession) {
  finish(take_in(row(100, "Success")).slot, {200, 0});
  const auto second = take_in(row(300, "Running"));
  ASSERT_EQ(second.as, As::kNew);
  EXPECT_EQ(table_.at(second.slot).state.key, session_key("aws-eu", "38", 1));
  finish(second.slot, {400, 0});
  EXPECT_EQ(take_in(row(300, "Running")).as, As::kIgnored);
  const auto third = take_in(row(500, "Running"));
  EXPECT_EQ(table_.at(third.slot).state.key, session_key("aws-eu", "38", 2));
}

TEST_F(SessionTableTest, NamesTheOpenSessionWhoseIdWasGivenAway) {
  const auto first = take_in(row(100, "Running"));
  const auto second = take_in(row(300, "Running"));
  ASSERT_EQ(second.as, As::kNew);
  ASSERT_TRUE(second.replaced);
  EXPECT_EQ(*second.replaced, first.slot);
  EXPECT_TRUE(table_.at(first.slot).replaced);
}

TEST_F(SessionTableTest, NeverTakesUpFinishedSessionsFromBeforeTheFloor) {
  finish(take_in(row(100, "Success")).slot, {200, 0});
  table_.raise_floor({150, 0}, {150, 0}, records_);
  EXPECT_EQ(table_.done(), 1u) << "its last entry is later than the floor";
  records_.clear();
  table_.raise_floor({250, 0}, {250, 0}, records_);
  EXPECT_EQ(table_.done(), 0u);
  ASSERT_EQ(records_.size(), 1u);
  EXPECT_EQ(records_[0].value, "");
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kIgnored);
  EXPECT_EQ(take_in(row(100, "Running")).as, As::kNew) << "it is not finished";
  table_.raise_floor({50, 0}, {50, 0}, records_);
  EXPECT_EQ(table_.source().floor, (Instant{250, 0})) << "the floor only rises";
}

TEST_F(SessionTableTest, KeepsTheMarksOfWhatTheSourceMayOpenAgain) {
  finish(take_in(row(100, "Success")).slot, {200, 0});
  table_.raise_floor({500, 0}, {150, 0}, records_);
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kIgnored);
  const auto again = take_in(row(100, "Running", 2));
  ASSERT_EQ(again.as, As::kNew);
  EXPECT_EQ(table_.at(again.slot).state.only_after, (Instant{200, 0})) << "what was delivered is known";
}

TEST_F(SessionTableTest, KeepsTheMarkOfASessionThatListingsStillShow) {
  finish(take_in(row(100, "Running")).slot, {200, 0});  // given up, for it had no news
  table_.raise_floor({500, 0}, {150, 0}, records_);
  for (std::int64_t floor = 600; floor < 900; floor += 100) {
    EXPECT_EQ(take_in(row(100, "Running")).as, As::kIgnored);
    table_.raise_floor({floor, 0}, {floor, 0}, records_);
  }
  table_.raise_floor({900, 0}, {900, 0}, records_);
  EXPECT_EQ(take_in(row(100, "Running")).as, As::kNew) << "the last listing did not show it";
}

TEST_F(SessionTableTest, RemembersEntriesWithoutATimeOfADoneSession) {
  const auto taken = take_in(row(100, "Success"));
  SessionHistory& history = table_.at(taken.slot).state.history;
  history.append(7, 1, 0);
  history.append(8, 2, SessionHistory::kKept);
  records_.clear();
  finish(taken.slot, {200, 0});
  ASSERT_EQ(records_.size(), 2u);
  SessionHistory durable;
  decode_chunk(records_[1].value, durable);
  ASSERT_EQ(durable.size(), 1u);
  EXPECT_EQ(durable.key(0), 8u);

  const auto again = take_in(row(100, "Running", 2));
  ASSERT_EQ(table_.at(again.slot).state.history.size(), 1u);
  EXPECT_EQ(table_.at(again.slot).state.history.key(0), 8u);
  finish(again.slot, {300, 0});
  records_.clear();
  table_.raise_floor({400, 0}, {400, 0}, records_);
  EXPECT_EQ(records_.size(), 2u) << "the mark's row and the chunk's";
}

TEST_F(SessionTableTest, TakesUpAgainWhatALowerFloorLetsIn) {
  finish(take_in(row(100, "Success")).slot, {200, 0});
  table_.raise_floor({150, 0}, {150, 0}, records_);
  records_.clear();
  table_.lower_floor({50, 0}, records_);
  ASSERT_EQ(records_.size(), 1u);
  EXPECT_EQ(decode_source(records_[0].value).floor, (Instant{50, 0}));
  EXPECT_EQ(decode_source(records_[0].value).listed_to, (Instant{50 + 2 * 3600, 0})) << "an overlap of 2 h later";
  EXPECT_EQ(take_in(row(100, "Success")).as, As::kIgnored) << "its done mark is still there";
  ListedSession other = row(60, "Success");
  other.id = "39";
  EXPECT_EQ(take_in(other).as, As::kNew);
  table_.lower_floor({70, 0}, records_);
  EXPECT_EQ(table_.source().floor, (Instant{50, 0})) << "this only lowers it";
}

TEST_F(SessionTableTest, AsksForOpenSessionsThatAListingDoesNotShow) {
  take_in(row(100, "Running"));
  EXPECT_EQ(table_.open_but_not_in({}), std::vector<std::string>{"38"});
  EXPECT_TRUE(table_.open_but_not_in({row(100, "Running")}).empty());
}

TEST(LostSession, IsGivenUpAfterThreeReadsOverAnHour) {
  using namespace std::chrono_literals;
  const SteadyTime start{1000h}, well = start + 5min;
  LostSession lost;
  for (const auto at : {0min, 1min, 59min}) {
    lost.failed(start + at);
    EXPECT_FALSE(lost.given_up(well));
  }
  lost.failed(start + 60min);
  EXPECT_TRUE(lost.given_up(well));
  lost.cleared();
  lost.failed(start + 300min);
  lost.failed(start + 400min);
  EXPECT_FALSE(lost.given_up(start + 350min)) << "two reads are not three";
}

TEST(LostSession, IsNotGivenUpWhileItsSourceDoesNothingForOthers) {
  using namespace std::chrono_literals;
  const SteadyTime start{1000h};
  LostSession lost;
  for (const auto at : {0h, 1h, 24h}) lost.failed(start + at);
  EXPECT_FALSE(lost.given_up(start - 1min));
  EXPECT_TRUE(lost.given_up(start + 1min));
  lost.failed(start + 30 * 24h);
  EXPECT_TRUE(lost.given_up(start - 1min)) << "nothing will come of it any more";
}

TEST(Refusals, AreTheSourcesWhenThreeSessionsAreRefusedInARow) {
  Refusals refusals;
  for (const std::uint64_t session : {1, 2, 1, 2}) refusals.refused(session);
  EXPECT_FALSE(refusals.in_general());
  refusals.refused(3);
  EXPECT_TRUE(refusals.in_general());
  refusals.read();
  EXPECT_FALSE(refusals.in_general());
}

}  // namespace
}  // namespace sessionlogd
