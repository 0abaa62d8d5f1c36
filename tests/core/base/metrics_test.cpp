#include "core/base/metrics.h"

#include <gtest/gtest.h>

#include "core/polling/source_view.h"
#include "core/polling/uncommitted.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Counts = std::vector<std::uint64_t>;

constexpr double kBounds[] = {0.1, 1, 10};

TEST(Histogram, CountsAValueInTheFirstBucketThatHoldsIt) {
  Histogram histogram(kBounds);
  for (const auto value : {0ms, 99ms, 100ms, 101ms, 1000ms, 9999ms, 10'000ms, 10'001ms, 3'600'000ms})
    histogram.observe(value);
  const HistogramCounts counts = histogram.read();
  EXPECT_EQ(counts.counts, (Counts{3, 2, 2, 2}));
  EXPECT_EQ(counts.count(), 9u);
}

TEST(Histogram, CountsOneValueForManyAtOnce) {
  Histogram histogram(kBounds);
  histogram.observe(500ms, 1000);
  histogram.observe(2s);
  EXPECT_EQ(histogram.read().counts, (Counts{0, 1000, 1, 0}));
  EXPECT_DOUBLE_EQ(histogram.read().sum, 502);
}

TEST(HistogramCounts, OfSeveralShardsAreAdded) {
  Histogram one(kBounds), other(kBounds);
  one.observe(50ms);
  other.observe(5s);
  other.observe(50s);
  HistogramCounts sum;
  sum.add(one.read());
  sum.add(other.read());
  EXPECT_EQ(sum.counts, (Counts{1, 0, 1, 1}));
  EXPECT_DOUBLE_EQ(sum.sum, 55.05);
}

TEST(RequestCounts, TellOnlySoManyStatusesApart) {
  RequestCounts counts;
  for (int status = 100; status < 600; ++status) counts.add(status);
  counts.add(100);
  counts.add(599);
  const auto& all = counts.by_status();
  EXPECT_EQ(counts.total(), 502u);
  ASSERT_EQ(all.size(), RequestCounts::kMost + 1);
  EXPECT_EQ(all.front(), (std::pair<int, std::uint64_t>{100, 2}));
  EXPECT_EQ(all.back(), (std::pair<int, std::uint64_t>{RequestCounts::kOther, 485}));
}

const SteadyTime kStart{1000s};

TEST(Uncommitted, IsSinceTheOldestBatchThatIsNotCommitted) {
  Uncommitted uncommitted;
  EXPECT_FALSE(uncommitted.since(0));
  uncommitted.pushed(3, 0, kStart);
  uncommitted.pushed(7, 0, kStart + 5s);
  EXPECT_EQ(uncommitted.since(0), kStart);
  EXPECT_EQ(uncommitted.since(2), kStart);
  EXPECT_EQ(uncommitted.since(3), kStart + 5s);
  EXPECT_FALSE(uncommitted.since(7));
  uncommitted.pushed(9, 7, kStart + 6s);
  EXPECT_EQ(uncommitted.since(8), kStart + 6s);
}

// Never younger than the truth, and at most the second of one mark older.
TEST(Uncommitted, TakesWhatIsPushedWithinASecondAsOne) {
  Uncommitted uncommitted;
  for (int i = 0; i < 30; ++i) uncommitted.pushed(static_cast<std::uint64_t>(i + 1), 0, kStart + 100ms * i);
  EXPECT_EQ(uncommitted.since(9), kStart);
  EXPECT_EQ(uncommitted.since(10), kStart + 1s);
  EXPECT_EQ(uncommitted.since(29), kStart + 2s);
  EXPECT_FALSE(uncommitted.since(30));
}

// Nobody asks where there is no admin address.
TEST(Uncommitted, ForgetsWhatIsCommittedThoughNobodyAsks) {
  Uncommitted uncommitted;
  for (std::uint64_t i = 1; i <= 1'000; ++i) uncommitted.pushed(i, i - 1, kStart + 2s * static_cast<int>(i));
  EXPECT_EQ(uncommitted.marks(), 1u);
  EXPECT_EQ(uncommitted.since(999), kStart + 2'000s);
}

}  // namespace
}  // namespace sessionlogd
