#include "core/polling/page_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace sessionlogd {
namespace {

using Step = PageWalk::Step;

// A source's pages: each letter is a row. What it has given so far is learnt as Discovery learns it.
struct Pages {
  Step take(std::string_view rows, std::size_t total = 0) {
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
  EXPECT_EQ(pages.take("ABC"), Step::kMore);
  EXPECT_EQ(pages.walk.offset(), 2u);
  EXPECT_EQ(pages.take("CDE"), Step::kMore);
  EXPECT_EQ(pages.walk.offset(), 4u);
  EXPECT_EQ(pages.take("EF"), Step::kComplete);
}

TEST(PageWalk, TakesAFullPageForTheLastOnlyWhenTheNextHasNothing) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), Step::kMore) << "as long as the longest: a source may give less than is asked for";
  EXPECT_EQ(pages.take("C"), Step::kComplete);
  Pages empty;
  EXPECT_EQ(empty.take(""), Step::kComplete);
}

TEST(PageWalk, NeedsOnePageWhereLongerOnesWereGivenBefore) {
  Pages pages(0, 200);
  EXPECT_EQ(pages.take("ABC"), Step::kComplete);
  Pages full(3, 200);
  EXPECT_EQ(full.take("ABC"), Step::kMore) << "so many were asked for";
}

// A source that gave longer pages before may give shorter ones by now.
TEST(PageWalk, AsksOnceMoreWhereTheTotalSaysThatThereAreMore) {
  Pages honest(0, 200);
  EXPECT_EQ(honest.take("ABC", 5), Step::kMore);
  EXPECT_EQ(honest.take("CDE", 5), Step::kComplete);
  Pages untrue(0, 200);
  EXPECT_EQ(untrue.take("ABC", 999), Step::kMore);
  EXPECT_EQ(untrue.take("C", 999), Step::kComplete) << "a total does not block";
  Pages low(0, 3);
  EXPECT_EQ(low.take("ABC", 3), Step::kMore) << "nor does it complete";
}

TEST(PageWalk, TakesAPageWithMoreRowsThanWereAskedForAsTheWhole) {
  Pages pages(2);
  EXPECT_EQ(pages.take("ABC"), Step::kComplete);
}

TEST(PageWalk, IsNeverCompleteWhereTheSourceIgnoresTheOffset) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), Step::kMore);
  for (int again = 1; again < 3; ++again) EXPECT_EQ(pages.take("ABC"), Step::kMore);
  EXPECT_EQ(pages.take("ABC"), Step::kIncomplete);
}

TEST(PageWalk, AsksForLessWhereAPageRepeatsToLearnWhetherItIsAll) {
  Pages pages(200);
  EXPECT_EQ(pages.take("ABC"), Step::kMore);
  EXPECT_EQ(pages.walk.limit(), 0u);
  EXPECT_EQ(pages.take("ABC"), Step::kMore);
  ASSERT_EQ(pages.walk.limit(), 2u);
  pages.asked = 2;
  Pages capped = pages;
  EXPECT_EQ(pages.take("ABC"), Step::kComplete) << "it ignores the limit, too";
  EXPECT_EQ(capped.take("AB"), Step::kStartOver) << "there may be more";
}

TEST(PageWalk, TakesTheOnlyRowOfASourceThatIgnoresTheOffsetForAll) {
  Pages pages;
  EXPECT_EQ(pages.take("A"), Step::kMore);
  EXPECT_EQ(pages.take("A"), Step::kComplete);
}

TEST(PageWalk, GoesOnOverRowsThatWereInserted) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), Step::kMore);
  EXPECT_EQ(pages.take("BCD"), Step::kMore);  // X came first: X A B C D E
  EXPECT_EQ(pages.take("DE"), Step::kComplete);
}

TEST(PageWalk, StartsOverWhereRowsWereDeleted) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), Step::kMore);
  EXPECT_EQ(pages.take("DE"), Step::kStartOver);  // A is gone: B C D E
}

TEST(PageWalk, StartsOverWhereTheOrderIsNotTheSame) {
  Pages pages;
  EXPECT_EQ(pages.take("ABC"), Step::kMore);
  EXPECT_EQ(pages.take("CAD"), Step::kStartOver) << "A was seen, and stands behind C";
  Pages short_page(3);
  EXPECT_EQ(short_page.take("ABC"), Step::kMore);
  EXPECT_EQ(short_page.take("CA"), Step::kStartOver) << "A was seen: what stands in its place was not";
}

TEST(PageWalk, TakesSingleRowsOneByOne) {
  Pages pages;
  EXPECT_EQ(pages.take("A"), Step::kMore);
  EXPECT_EQ(pages.walk.offset(), 1u);
  EXPECT_EQ(pages.take("B"), Step::kMore);
  EXPECT_EQ(pages.walk.offset(), 2u);
  EXPECT_EQ(pages.take(""), Step::kComplete);
}

}  // namespace
}  // namespace sessionlogd
