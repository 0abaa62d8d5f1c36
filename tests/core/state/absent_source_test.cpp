#include "core/state/absent_source.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr Instant kLeft{1'000'000, 0};

Instant after(std::chrono::seconds span) { return {kLeft.seconds + span.count(), 0}; }

// One session with three chunks of keys, one done, one done by a version before with an entry without a time, one with
// fingerprints.
RestoredSource some_state() {
  RestoredSource state;
  state.source.listed_to = Instant{900'000, 0};
  for (std::uint64_t i = 0; i < 2 * kKeysPerChunk + 1; ++i) state.sessions[7].history.append(i, 0, 0);
  state.done.put(8, {});
  state.done.put(9, {});
  state.kept[9].append(1, 2, 0);
  SessionHistory history;
  for (std::uint64_t i = 0; i < 5'000; ++i) history.append(i, 0, 0);
  state.done.put(10, {.place = state.fingerprints.put(10, history)});
  return state;
}

TEST(AbsentSource, IsRememberedSinceItLeftUntilItComesBack) {
  RestoredSource state = some_state();
  std::vector<StateRecord> records;
  EXPECT_FALSE(mark_absent(state, 24h, kLeft, records));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(decode_source(records[0].value).absent_since, kLeft);

  records.clear();
  mark_present(state, records);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(decode_source(records[0].value).absent_since, std::nullopt);
  EXPECT_EQ(decode_source(records[0].value).listed_to, (Instant{900'000, 0}));
  records.clear();
  mark_present(state, records);
  EXPECT_TRUE(records.empty()) << "it was never away";
}

TEST(AbsentSource, LosesEveryRowWhenItWasAwayForLonger) {
  RestoredSource state = some_state();
  state.source.absent_since = kLeft;
  std::vector<StateRecord> records;
  EXPECT_FALSE(mark_absent(state, 24h, after(24h), records));
  EXPECT_TRUE(records.empty()) << "it is known since when";
  EXPECT_TRUE(mark_absent(state, 24h, after(25h), records));
  EXPECT_EQ(records.size(), 1u + 1 + 3 + 1 + 2 + 1 + 2)
      << "the source, the session and its chunks, the mark, the mark and its, the mark and its two rows";
  for (const StateRecord& record : records) EXPECT_EQ(record.value, "");
}

}  // namespace
}  // namespace sessionlogd
