#include "daemon/admin/all_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

SourceView source(const std::string& id, std::uint64_t entries, SourceCondition condition = SourceCondition::kOk) {
  SourceView view;
  view.identity = std::make_shared<SourceIdentity>(SourceIdentity{id, id, "veeam-aws", "http://here", 24h});
  view.condition = condition;
  view.counts[Counted::kEntries] = view.counts[Counted::kPollsUnchanged] = entries;
  view.counts[Counted::kPollsNew] = 1;
  view.sessions = {0, 2, 0, entries};
  view.requests.add(200);
  return view;
}

TEST(AllSources, AddsUpWhatEachHasCounted) {
  AllSources all;
  const SourceView a = source("a", 10), b = source("b", 5);
  const SourceSums sums = all.look({&a, &b});
  EXPECT_EQ(sums.as_one.counts[Counted::kEntries], 15u);
  EXPECT_THAT(sums.as_one.counts.polls(), ElementsAre(2, 0, 15, 0));
  EXPECT_THAT(sums.as_one.sessions, ElementsAre(0, 4, 0, 15));
  EXPECT_THAT(sums.requests, ElementsAre(Pair(200, 2)));
}

TEST(AllSources, CountNothingTwiceAndNeverLess) {
  AllSources all;
  const SourceView a = source("a", 10), b = source("b", 5), later = source("a", 12), anew = source("b", 3);
  all.look({&a, &b});
  EXPECT_EQ(all.look({&a, &b}).as_one.counts[Counted::kEntries], 15u) << "looking is not counting";
  EXPECT_EQ(all.look({&later, &b}).as_one.counts[Counted::kEntries], 17u);
  const SourceSums without = all.look({&later});
  EXPECT_EQ(without.as_one.counts[Counted::kEntries], 17u) << "what b had counted stays";
  EXPECT_EQ(without.as_one.sessions[3], 12u) << "but its sessions left with it";
  EXPECT_EQ(all.look({&later, &anew}).as_one.counts[Counted::kEntries], 20u) << "it came back and begins at zero";
  const SourceView begun_again = source("a", 1);
  EXPECT_EQ(all.look({&begun_again, &anew}).as_one.counts[Counted::kEntries], 21u);
  EXPECT_EQ(all.look({}).as_one.counts[Counted::kEntries], 21u);
}

TEST(AllSources, KeepWhatALifeHadCountedWhenTheNextHasCountedMore) {
  AllSources all;
  SourceView old_life = source("a", 10), new_life = source("a", 12);
  old_life.life = 1;
  new_life.life = 2;
  all.look({&old_life});
  const SourceSums sums = all.look({&new_life});
  EXPECT_EQ(sums.as_one.counts[Counted::kEntries], 22u);
  EXPECT_THAT(sums.requests, ElementsAre(Pair(200, 2)));
}

TEST(AllSources, AreAsBadAsTheWorst) {
  AllSources all;
  SourceView a = source("a", 1), b = source("b", 1, SourceCondition::kParked);
  a.lag = 3s;
  b.lag = 1s;
  a.sessions_failing = 2;
  b.sessions_failing = 3;
  b.waiting = 50s;
  a.clock_offset = 5s;
  b.clock_offset = -9s;
  a.last_poll = Instant{100, 0};
  b.last_poll = Instant{50, 0};
  a.certificate_expires = Instant{7'000, 0};
  b.identity = std::make_shared<SourceIdentity>(SourceIdentity{"b", "b", "veeam-azure", "http://there", 1h});
  const SourceView worst = all.look({&a, &b}).as_one;
  EXPECT_EQ(worst.condition, SourceCondition::kParked);
  EXPECT_EQ(worst.lag, 3s);
  EXPECT_EQ(worst.sessions_failing, 5u);
  EXPECT_EQ(worst.waiting, 50s);
  EXPECT_EQ(worst.clock_offset, -9s);
  EXPECT_EQ(worst.last_poll, (Instant{50, 0}));
  EXPECT_EQ(worst.certificate_expires, (Instant{7'000, 0}));
  EXPECT_EQ(worst.token_expires, std::nullopt);
  EXPECT_EQ(worst.identity->retention, 1h);
  EXPECT_EQ(all.look({&a}).as_one.condition, SourceCondition::kOk);
}

}  // namespace
}  // namespace sessionlogd::test
