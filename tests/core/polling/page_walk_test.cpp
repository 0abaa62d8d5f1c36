#include "core/polling/page_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace sessionlogd {
namespace {

using WalkStep = PageWalk::Step;

// A source's pages: each letter is a row. What it has given so far is learnt as Discovery learns it.
struct Pages {
  WalkStep take(std::string_view rows, std::size_t total = 0) {
    std::vector<std::uint64_t> hashes(rows.begin(), rows.end());
    if (asked == 0 || hashes.size() <= asked) longest = std::max(longest, hashes.size());
    return walk.take({hashes, asked, longest, total});
  }
  explicit Pages(std::size_t rows_asked = 0, std::size_t longest_so_far = 1)
      : asked(rows_asked), longest(longest_so_far) {}

  std::size_t asked, longest;
  PageWalk walk;
};

TEST(PageWalk, StartsEachPageOnTheLastRowOfTheOneBefore) {
  Pages pages;
  EXPECT_EQ(pages.walk.offset(), 0u);
  EXPECT_EQ(pages.take("ABC"), WalkStep::kMore);
  EXPECT_EQ(pages.walk.offset(), 2u);
  EXPECT_EQ(pages.take("CDE"), WalkStep::kMore);
  EXPECT_EQ(pages.walk.offset(), 4u);
  EXPECT_EQ(pages.take("EF"), WalkStep::kComplete);
}

TEST(PageWalk, TakesAFullPageForTheLastOnlyWhenTheNextHasNothing) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), WalkStep::kMore) << "as long as the longest: a source may give less than is asked for";
  EXPECT_EQ(pages.take("C"), WalkStep::kComplete);
  Pages empty;
  EXPECT_EQ(empty.take(""), WalkStep::kComplete);
}

TEST(PageWalk, NeedsOnePageWhereLongerOnesWereGivenBefore) {
  Pages pages(0, 200);
  EXPECT_EQ(pages.take("ABC"), WalkStep::kComplete);
  Pages full(3, 200);
  EXPECT_EQ(full.take("ABC"), WalkStep::kMore) << "so many were asked for";
}

// A source that gave longer pages before may give shorter ones by now.
TEST(PageWalk, AsksOnceMoreWhereTheTotalSaysThatThereAreMore) {
  Pages honest(0, 200);
  EXPECT_EQ(honest.take("ABC", 5), WalkStep::kMore);
  EXPECT_EQ(honest.take("CDE", 5), WalkStep::kComplete);
  Pages untrue(0, 200);
  EXPECT_EQ(untrue.take("ABC", 999), WalkStep::kMore);
  EXPECT_EQ(untrue.take("C", 999), WalkStep::kComplete) << "a total does not block";
  Pages low(0, 3);
  EXPECT_EQ(low.take("ABC", 3), WalkStep::kMore) << "nor does it complete";
}

TEST(PageWalk, TakesAPageWithMoreRowsThanWereAskedForAsTheWhole) {
  Pages pages(2);
  EXPECT_EQ(pages.take("ABC"), WalkStep::kComplete);
}

TEST(PageWalk, IsNeverCompleteWhereTheSourceIgnoresTheOffset) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), WalkStep::kMore);
  for (int again = 1; again < 3; ++again) EXPECT_EQ(pages.take("ABC"), WalkStep::kMore);
  EXPECT_EQ(pages.take("ABC"), WalkStep::kIncomplete);
}

TEST(PageWalk, AsksForLessWhereAPageRepeatsToLearnWhetherItIsAll) {
  Pages pages(200);
  EXPECT_EQ(pages.take("ABC"), WalkStep::kMore);
  EXPECT_EQ(pages.walk.limit(), 0u);
  EXPECT_EQ(pages.take("ABC"), WalkStep::kMore);
  ASSERT_EQ(pages.walk.limit(), 2u);
  pages.asked = 2;
  Pages capped = pages;
  EXPECT_EQ(pages.take("ABC"), WalkStep::kComplete) << "it ignores the limit, too";
  EXPECT_EQ(capped.take("AB"), WalkStep::kStartOver) << "there may be more";
}

TEST(PageWalk, TakesTheOnlyRowOfASourceThatIgnoresTheOffsetForAll) {
  Pages pages;
  EXPECT_EQ(pages.take("A"), WalkStep::kMore);
  EXPECT_EQ(pages.take("A"), WalkStep::kComplete);
}

TEST(PageWalk, GoesOnOverRowsThatWereInserted) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), WalkStep::kMore);
  EXPECT_EQ(pages.take("BCD"), WalkStep::kMore);  // X came first: X A B C D E
  EXPECT_EQ(pages.take("DE"), WalkStep::kComplete);
}

TEST(PageWalk, StartsOverWhereRowsWereDeleted) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), WalkStep::kMore);
  EXPECT_EQ(pages.take("DE"), WalkStep::kStartOver);  // A is gone: B C D E
}

TEST(PageWalk, StartsOverWhereTheOrderIsNotTheSame) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), WalkStep::kMore);
  EXPECT_EQ(pages.take("CAD"), WalkStep::kStartOver) << "A was seen, and stands behind C";
  Pages short_page(3);
  EXPECT_EQ(short_page.take("ABC"), WalkStep::kMore);
  EXPECT_EQ(short_page.take("CA"), WalkStep::kStartOver) << "A was seen: what stands in its place was not";
}

TEST(PageWalk, TakesSingleRowsOneByOne) {
  Pages pages;
  EXPECT_EQ(pages.take("A"), WalkStep::kMore);
  EXPECT_EQ(pages.walk.offset(), 1u);
  EXPECT_EQ(pages.take("B"), WalkStep::kMore);
  EXPECT_EQ(pages.walk.offset(), 2u);
  EXPECT_EQ(pages.take(""), WalkStep::kComplete);
}

}  // namespace
}  // namespace sessionlogd
