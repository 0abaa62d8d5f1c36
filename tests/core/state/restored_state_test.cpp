#include "core/state/restored_state.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/state/identity.h"
#include "core/state/state_row.h"

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
}

TEST(SourceState, ReadsBackWhatItWrote) {
  using namespace std::chrono_literals;
  SourceState source;
  source.listed_to = Instant{3, 4};
  source.line = kNever;
  source.contact_over = true;
  source.idle_sweeps = 2;
  source.faulty_sweeps = 4;
  source.watched = {.span = 12'345ms, .ours = Instant{5, 0}, .theirs = Instant{6, 0}};
  source.sweeps = {std::nullopt, 7'000ms, 8'000ms};
  source.sweep_place = Instant{9, 0};
  source.reading = 77;
  source.before = Instant{1, 0};
  const SourceState read = decode_source(encode_source(source));
  EXPECT_EQ(read.listed_to, source.listed_to);
  EXPECT_EQ(read.line, source.line);
  EXPECT_TRUE(read.contact_over);
  EXPECT_EQ(read.idle_sweeps, 2);
  EXPECT_EQ(read.faulty_sweeps, 4);
  EXPECT_EQ(read.watched, source.watched);
  EXPECT_EQ(read.sweeps, source.sweeps);
  EXPECT_EQ(read.sweep_place, source.sweep_place);
  EXPECT_EQ(read.reading, 77u);
  EXPECT_EQ(read.before, source.before);
  EXPECT_EQ(decode_source("").line, std::nullopt);
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
  record({0, StateRecord::kSourcePart, encode_source({.listed_to = Instant{1, 1}})});
  record({0, StateRecord::kSourcePart, encode_source({.listed_to = Instant{2, 2}})});
  record_all(session_of(7, 100));
  record_all(session_of(7, 70));  // one chunk less: its row stays until it is removed
  record({7, 1, {}});
  record_all(session_of(8, 10));
  std::vector<StateRecord> done;
  append_done(session_of(8, 10), {.digest = 9}, done);
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

// Whether the output is all that is left, or the first one's rows were committed while its id still named it.
TEST(RestoredState, EndsASessionWhoseIdWasGivenToOneThatOnlyTheOutputKnows) {
  const std::uint64_t first = session_key("src", "s1"), second = session_key("src", "s1", 1);
  for (const bool committed : {true, false}) {
    RestoredState state, again;
    if (committed) {
      for (const StateRecord& row : rows_of(session_of(first, 65))) {
        state.record("src", row);
        again.record("src", row);
      }
    }
    state.delivered({"src", "s1", first, 5, 1});
    state.delivered({"src", "s1", second, 6, 2});
    for (const Batch& batch : state.settle()) {
      for (const StateRecord& row : batch.records) again.record("src", row);
    }
    for (RestoredState* restored : {&state, &again}) {
      const RestoredSource source = restored->take("src");
      ASSERT_EQ(source.sessions.size(), 1u) << committed;
      EXPECT_EQ(source.sessions.at(second).history.size(), 1u);
      const auto mark = source.done.find(first);
      ASSERT_TRUE(mark);
      EXPECT_EQ(mark->digest, committed ? 8u : 1u) << "what shows it again opens it";
      const auto history = source.fingerprints.find(first, mark->place);
      ASSERT_TRUE(history);
      EXPECT_EQ(history->size(), committed ? 66u : 1u);
    }
  }
}

// It lost its id and has it again: a row of the other one was committed.
TEST(RestoredState, LeavesASessionOpenWhoseIdNamesItAgain) {
  SessionState first = session_of(session_key("src", "s1"), 3), second = session_of(session_key("src", "s1", 1), 3);
  RestoredState state;
  for (const SessionState* session : {&first, &second}) {
    for (const StateRecord& row : rows_of(*session)) state.record("src", row);
  }
  state.delivered({"src", "s1", second.key, 6, 2});
  state.settle();
  EXPECT_EQ(state.take("src").sessions.size(), 2u);
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

TEST(RestoredState, KnowsADoneSessionByItsMarkAndItsFingerprints) {
  const SessionState session = session_of(7, 5'000);
  DoneMark mark{.digest = 9, .sum = session.history.sum(), .made = {77, 0}};
  std::vector<StateRecord> rows = rows_of(session);
  append_done(session, mark, rows);
  RestoredState state;
  for (const StateRecord& row : rows) state.record("src", row);
  RestoredSource source = state.take("src");
  EXPECT_TRUE(source.sessions.empty());
  const auto found = source.done.find(7);
  ASSERT_TRUE(found);
  mark.place = found->place;
  EXPECT_EQ(*found, mark);
  const auto history = source.fingerprints.take(7, found->place);
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 5'000u);
  EXPECT_EQ(history->sum(), mark.sum);
  EXPECT_TRUE(state.take("other").sessions.empty());
}

TEST(RestoredState, DropsTheFingerprintsFirstOfWhatWasDoneFirst) {
  RestoredState state;
  for (const std::uint64_t key : {5, 3, 9, 1}) {
    std::vector<StateRecord> rows;
    append_done(session_of(key, 1'000), {.digest = 9, .made = {static_cast<std::int64_t>(key), 0}}, rows);
    for (const StateRecord& row : rows) state.record("src", row);
  }
  RestoredSource source = state.take("src");
  std::vector<std::uint64_t> gone;
  source.fingerprints.keep_within(0, [&](std::uint64_t key, std::size_t) { gone.push_back(key); });
  EXPECT_EQ(gone, (std::vector<std::uint64_t>{1, 3, 5, 9}));
}

// A kill between the sync of the output and the state: of a session that was opened again, and of one whose entry was
// still running.
TEST(RestoredState, OpensADoneSessionOfWhichOnlyTheOutputHoldsMore) {
  const SessionState session = session_of(7, 100);
  std::vector<StateRecord> committed;
  append_done(session, {.digest = 9, .sum = session.history.sum(), .made = {77, 0}}, committed);
  RestoredState state;
  for (const StateRecord& row : committed) state.record("src", row);
  state.delivered({"src", "s1", 7, 1'099, 500, Instant{9, 1}});                // changed
  state.delivered({"src", "s1", 7, 0xABCD'0000'0000'0001, 1, Instant{9, 1}});  // new
  for (const Batch& batch : state.settle())
    committed.insert(committed.end(), batch.records.begin(), batch.records.end());

  RestoredState again;
  for (const StateRecord& row : committed) again.record("src", row);
  for (RestoredState* one : {&state, &again}) {
    const RestoredSource source = one->take("src");
    ASSERT_TRUE(source.sessions.contains(7));
    EXPECT_FALSE(source.done.contains(7));
    const SessionState& opened = source.sessions.at(7);
    EXPECT_EQ(opened.only_after, kNever) << "every entry is known by itself";
    EXPECT_FALSE(opened.delivered_sum);
    ASSERT_EQ(opened.history.size(), 101u);
    EXPECT_EQ(opened.history.hash(99), 500u);
    EXPECT_EQ(opened.history.key(100), 0xABCD'0000'0000'0001u);
  }
}

// `state rebuild`: what began behind the end of the output was never read.
TEST(RestoredState, KnowsHowFarTheOutputReachesWhereNothingElseSaysWhereFirstContactBegins) {
  RestoredState state;
  state.delivered({"src", "s1", 7, 1, 1, Instant{9, 1}});
  state.delivered({"src", "s1", 7, 2, 1, Instant{8, 0}});
  const std::vector<Batch> settled = state.settle();
  EXPECT_EQ(decode_source(settled.back().records.back().value).line_limit, (Instant{9, 1}));
  EXPECT_TRUE(state.settle().empty());
  SourceState known;
  known.line = Instant{5, 0};
  RestoredState again;
  again.record("src", {0, StateRecord::kSourcePart, encode_source(known)});
  again.delivered({"src", "s1", 7, 1, 1, Instant{9, 1}});
  EXPECT_EQ(again.settle().size(), 1u) << "the session only";
  EXPECT_EQ(again.take("src").source.line, (Instant{5, 0}));
}

TEST(RestoredState, DoesNotBelieveThatTheOutputReachesIntoTheFuture) {
  const auto limit = [](const Delivered& wrong) {
    RestoredState state;
    state.delivered({"src", "s1", 7, 1, 1, Instant{9, 1}});
    state.delivered(wrong);
    return decode_source(state.settle().back().records.back().value).line_limit;
  };
  const Instant now = system_now(), ahead{now.seconds + 3'600, 0};
  EXPECT_EQ(limit({"src", "s1", 7, 2, 1, ahead}), (Instant{9, 1}));
  EXPECT_EQ(limit({"src", "s1", 7, 2, 1, ahead, Instant{20, 0}}), (Instant{20, 0}));
  EXPECT_EQ(limit({"src", "s1", 7, 2, 1, Instant{30, 0}, Instant{20, 0}}), (Instant{20, 0})) << "it is over by now";
  EXPECT_EQ(limit({"src", "s1", 7, 2, 1, Instant{10, 0}, Instant{20, 0}}), (Instant{10, 0}));
}

TEST(RestoredState, ReadsTheMarksOfAVersionBefore) {
  using namespace state_row;
  std::string row;
  append_number(row, Tag::kPhase, static_cast<std::uint8_t>(Phase::kDone));
  append_number(row, Tag::kDigest, std::uint64_t{9});
  append_time(row, Tag::kLatest, Instant{5, 6});
  SessionHistory kept;
  kept.append(8, 2, 0x80);
  RestoredState state;
  state.record("src", {7, StateRecord::kSessionPart, row});
  state.record("src", {7, 0, encode_chunk(kept, 0)});
  const RestoredSource source = state.take("src");
  EXPECT_EQ(source.done.find(7).value(), (DoneMark{.kind = DoneMark::Kind::kOld, .digest = 9, .latest = {5, 6}}));
  EXPECT_EQ(source.kept.at(7).key(0), 8u);
}

}  // namespace
}  // namespace sessionlogd
