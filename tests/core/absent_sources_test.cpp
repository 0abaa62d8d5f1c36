#include "core/absent_sources.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr Instant kLeft{1'000'000, 0};

Instant after(std::chrono::seconds span) { return {kLeft.seconds + span.count(), 0}; }

// One session with three chunks of keys, one done, one done with an entry without a time.
RestoredSource state() {
  RestoredSource state;
  state.source.listed_to = Instant{900'000, 0};
  for (std::uint64_t i = 0; i < 2 * kKeysPerChunk + 1; ++i) state.sessions[7].history.append(i, 0, 0);
  state.done[8] = {};
  state.done[9] = {};
  state.untimed[9].append(1, 2, SessionHistory::kUntimed);
  return state;
}

TEST(AbsentSources, RemembersSinceWhenASourceIsAbsentAndGivesItsStateBack) {
  AbsentSources absent(24h);
  std::vector<StateRecord> records;
  EXPECT_FALSE(absent.leave("a", state(), kLeft, records));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(decode_source(records[0].value).absent_since, kLeft);

  records.clear();
  const RestoredSource back = absent.come_back("a", records);
  EXPECT_EQ(back.sessions.size(), 1u);
  EXPECT_EQ(back.done.size(), 2u);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(decode_source(records[0].value).absent_since, std::nullopt);
  EXPECT_EQ(decode_source(records[0].value).listed_to, (Instant{900'000, 0}));
  records.clear();
  EXPECT_TRUE(absent.come_back("a", records).sessions.empty());
  EXPECT_TRUE(records.empty());
}

TEST(AbsentSources, RemovesEveryRowOfOneThatWasAbsentForLonger) {
  RestoredSource left = state();
  left.source.absent_since = kLeft;
  AbsentSources absent(24h);
  std::vector<StateRecord> records;
  EXPECT_FALSE(absent.leave("a", left, after(24h), records));
  EXPECT_TRUE(records.empty()) << "it is known since when";
  EXPECT_TRUE(absent.leave("a", left, after(25h), records));
  EXPECT_EQ(records.size(), 1u + 1 + 3 + 1 + 2) << "the source, the session and its chunks, the mark, the mark and its";
  for (const StateRecord& record : records) EXPECT_EQ(record.value, "");
}

TEST(AbsentSources, HaveNothingToKeepOfASourceThatWasNeverListed) {
  AbsentSources absent(24h);
  std::vector<StateRecord> records;
  EXPECT_FALSE(absent.leave("a", {}, kLeft, records));
  EXPECT_TRUE(records.empty());
}

}  // namespace
}  // namespace sessionlogd
