#include "core/restored_state.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sessionlogd {
namespace {

SessionState session_of(std::uint64_t key, std::size_t entries) {
  SessionState session;
  session.key = key;
  session.phase = Phase::kOpen;
  session.digest = 9;
  session.latest = Instant{5, 6};
  session.info = SessionInfo{.id = "s1",
                             .type = "T",
                             .name = "n",
                             .parent = "p",
                             .status = "Running",
                             .start = Instant{1, 2},
                             .stop = std::nullopt};
  for (std::size_t i = 0; i < entries; ++i)
    session.history.append(1'000 + i, static_cast<std::uint32_t>(i), static_cast<std::uint8_t>(i % 17));
  return session;
}

std::vector<StateRecord> rows_of(const SessionState& session) {
  std::vector<StateRecord> rows = {{session.key, StateRecord::kSessionPart, encode_session(session)}};
  std::vector<std::uint32_t> all(session.history.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  append_chunks(session, all, rows);
  return rows;
}

TEST(SessionState, ReadsBackWhatItWroteAndSkipsUnknownTags) {
  const SessionState session = session_of(7, 0);
  const std::string row = std::string(
                              "\x7f\x03"
                              "abc") +
                          encode_session(session) + std::string("\xc8\x00", 2);
  const SessionState read = decode_session(row);
  EXPECT_EQ(read.info.view(), session.info.view());
  EXPECT_EQ(read.phase, session.phase);
  EXPECT_EQ(read.digest, 9u);
  EXPECT_EQ(Instant(read.latest), Instant(session.latest));
  SourceState source;
  source.listed_to = Instant{3, 4};
  EXPECT_EQ(decode_source(encode_source(source)).listed_to, (Instant{3, 4}));
}

TEST(SessionState, RefusesEveryRowThatIsCutShort) {
  const std::string row = encode_session(session_of(7, 0)), chunk = encode_chunk(session_of(7, 2).history, 0);
  SessionHistory history;
  for (std::size_t cut = 1; cut < chunk.size(); ++cut)
    EXPECT_THROW(decode_chunk(chunk.substr(0, cut), history), StateMismatch) << cut;
  EXPECT_THROW(decode_session(""), StateMismatch);
  EXPECT_THROW(decode_session(row.substr(0, row.size() - 1)), StateMismatch);
  EXPECT_THROW(decode_session("\x01\x01\x09"), StateMismatch);
}

// A topic that is not compacted yet holds every row that ever was.
TEST(RestoredState, LaterRowsReplaceEarlierOnesAndEmptyOnesRemoveThem) {
  RestoredState state;
  const auto record = [&](const StateRecord& row) { state.record("a", row); };
  const auto record_all = [&](const SessionState& session) {
    for (const StateRecord& row : rows_of(session)) record(row);
  };
  record({0, StateRecord::kSourcePart, encode_source({Instant{1, 1}})});
  record({0, StateRecord::kSourcePart, encode_source({Instant{2, 2}})});
  record_all(session_of(7, 100));
  record_all(session_of(7, 70));  // one chunk less: its row stays until it is removed
  record({7, 1, {}});
  record_all(session_of(8, 10));
  SessionState ended = session_of(8, 10);
  std::vector<StateRecord> done;
  append_done(ended, done);
  for (const StateRecord& row : done) record(row);
  record_all(session_of(9, 10));
  record({9, StateRecord::kSessionPart, {}});
  record({9, 0, {}});

  const RestoredSource restored = state.take("a");
  EXPECT_EQ(restored.source.listed_to, (Instant{2, 2}));
  ASSERT_EQ(restored.sessions.size(), 1u);
  EXPECT_EQ(restored.sessions.at(7).history.size(), kKeysPerChunk);
  EXPECT_TRUE(restored.done.contains(8));
  EXPECT_FALSE(restored.done.contains(9));
}

TEST(RestoredState, TakesRowsInAnyOrder) {
  std::vector<StateRecord> rows = rows_of(session_of(7, 200));
  ASSERT_EQ(rows.size(), 5u);
  do {
    RestoredState state;
    for (const StateRecord& row : rows) state.record("src", row);
    const RestoredSource source = state.take("src");
    const SessionHistory& history = source.sessions.at(7).history;
    ASSERT_EQ(history.size(), 200u);
    for (std::size_t i = 0; i < 200; ++i) ASSERT_EQ(history.key(i), 1'000 + i);
  } while (std::ranges::next_permutation(rows, {}, &StateRecord::part).found);
}

TEST(RestoredState, AddsWhatOnlyTheOutputHolds) {
  for (const bool committed : {true, false}) {
    RestoredState state;
    if (committed) {
      for (const StateRecord& row : rows_of(session_of(7, 65))) state.record("src", row);
    }
    state.delivered({"src", "s1", 7, 1'064, 99});
    state.delivered({"src", "s1", 7, 5, 1});
    const std::vector<Batch> batches = state.settle();
    ASSERT_EQ(batches.size(), 1u);
    EXPECT_TRUE(state.settle().empty());
    RestoredState again;
    if (committed) {
      for (const StateRecord& row : rows_of(session_of(7, 65))) again.record("src", row);
    }
    for (const StateRecord& row : batches[0].records) again.record("src", row);
    const SessionHistory one = state.take("src").sessions.at(7).history, two = again.take("src").sessions.at(7).history;
    ASSERT_EQ(one.size(), committed ? 66u : 2u);
    ASSERT_EQ(two.size(), one.size());
    for (std::size_t i = 0; i < one.size(); ++i)
      EXPECT_TRUE(one.key(i) == two.key(i) && one.hash(i) == two.hash(i)) << i;
    EXPECT_EQ(one.hash(committed ? 64 : 0), 99u);
  }
}

TEST(RestoredState, KnowsTheLatestTimeThatOnlyTheOutputHolds) {
  RestoredState state;
  for (const StateRecord& row : rows_of(session_of(7, 1))) state.record("src", row);  // latest is 5 s
  state.delivered({"src", "s1", 7, 2'000, 1, Instant{9, 1}});
  state.delivered({"src", "s1", 7, 2'001, 1, Instant{8, 0}});
  state.delivered({"src", "s1", 7, 2'002, 1});
  const std::vector<Batch> settled = state.settle();
  EXPECT_EQ(state.take("src").sessions.at(7).latest, (Instant{9, 1}));
  EXPECT_EQ(decode_session(settled.at(0).records.at(0).value).latest, (Instant{9, 1}))
      << "also for the start after this";
}

// When the session is done, only its entries without a time are kept one by one.
TEST(RestoredState, MarksRecoveredEntriesWithoutATime) {
  RestoredState state;
  state.delivered({"src", "s1", 7, 2'000, 1, Instant{9, 1}});
  state.delivered({"src", "s1", 7, 2'001, 1});
  state.settle();
  SessionHistory history = state.take("src").sessions.at(7).history;
  history.forget_all_but_kept(7);
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history.key(0), 2'001u);
}

TEST(RestoredState, KeepsOnlyTheMarkOfADoneSession) {
  SessionState session = session_of(7, 130);
  session.phase = Phase::kDone;
  std::vector<StateRecord> rows;
  append_done(session, rows);
  ASSERT_EQ(rows.size(), 4u);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(rows[i].value, "");
  RestoredState state;
  state.record("src", rows[0]);
  const RestoredSource source = state.take("src");
  EXPECT_TRUE(source.sessions.empty());
  EXPECT_EQ(source.done.find(7).value().digest, 9u);
  EXPECT_EQ(source.done.find(7).value().latest, session.latest);
  EXPECT_TRUE(state.take("other").sessions.empty());
}

}  // namespace
}  // namespace sessionlogd
