#include "core/page_walk.h"

#include <gtest/gtest.h>

#include <vector>

namespace sessionlogd {
namespace {

using Step = PageWalk::Step;

// Each letter is the id of a row.
Step take(PageWalk& walk, std::string_view rows, std::optional<std::uint64_t> total = std::nullopt) {
  std::vector<std::string> ids;
  for (const char id : rows) ids.emplace_back(1, id);
  return walk.take(ids, total);
}

TEST(PageWalk, StartsEachPageOnTheLastRowOfTheOneBefore) {
  PageWalk walk;
  EXPECT_EQ(walk.offset(), 0u);
  EXPECT_EQ(take(walk, "ABC"), Step::kMore);
  EXPECT_EQ(walk.offset(), 2u);
  EXPECT_EQ(take(walk, "CDE"), Step::kMore);
  EXPECT_EQ(walk.offset(), 4u);
  EXPECT_EQ(take(walk, "EF"), Step::kComplete);
}

TEST(PageWalk, NeedsOnePageWhenItHoldsTheTotal) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "ABC", 3), Step::kComplete);
  PageWalk empty;
  EXPECT_EQ(take(empty, "", 0), Step::kComplete);
  PageWalk without_total;
  EXPECT_EQ(take(without_total, ""), Step::kComplete);
}

TEST(PageWalk, EndsWhereAPageHasNothingBehindTheLastRow) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "ABC"), Step::kMore);
  EXPECT_EQ(take(walk, "C"), Step::kComplete);
}

TEST(PageWalk, EndsAtASourceThatIgnoresTheOffset) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "ABC"), Step::kMore);
  for (int again = 1; again < 3; ++again) EXPECT_EQ(take(walk, "ABC"), Step::kMore);
  EXPECT_EQ(take(walk, "ABC"), Step::kComplete);
}

TEST(PageWalk, DoesNotTakeAPageOfKnownRowsForTheEnd) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "ABC"), Step::kMore);
  EXPECT_EQ(take(walk, "ABC"), Step::kMore);  // X and Y came first: X Y A B C D
  EXPECT_EQ(take(walk, "CD"), Step::kComplete);
}

TEST(PageWalk, GoesOnOverRowsThatWereInserted) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "ABC", 5), Step::kMore);
  EXPECT_EQ(take(walk, "BCD", 6), Step::kMore);  // X came first: X A B C D E
  EXPECT_EQ(take(walk, "DE", 6), Step::kIncomplete) << "X itself was not shown";
}

TEST(PageWalk, StartsOverWhereRowsWereDeleted) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "ABC", 5), Step::kMore);
  EXPECT_EQ(take(walk, "DE", 4), Step::kStartOver);  // A is gone: B C D E
}

TEST(PageWalk, DoesNotBelieveATotalThatRowsReachWhichAreGone) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "ABC", 6), Step::kMore);
  EXPECT_EQ(take(walk, "CDE", 5), Step::kMore);
}

TEST(PageWalk, TakesPagesThatAreShorterThanAskedFor) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "AB", 5), Step::kMore);
  EXPECT_EQ(take(walk, "BC", 5), Step::kMore);
  EXPECT_EQ(take(walk, "CD", 5), Step::kMore);
  EXPECT_EQ(take(walk, "DE", 5), Step::kMore);
  EXPECT_EQ(take(walk, "E", 5), Step::kComplete);
}

TEST(PageWalk, TakesSingleRowsOneByOne) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "A"), Step::kMore);
  EXPECT_EQ(walk.offset(), 1u);
  EXPECT_EQ(take(walk, "B"), Step::kMore);
  EXPECT_EQ(walk.offset(), 2u);
  EXPECT_EQ(take(walk, ""), Step::kComplete);
}

TEST(PageWalk, SaysWhenTheTotalIsNotReached) {
  PageWalk walk;
  EXPECT_EQ(take(walk, "ABC", 9), Step::kMore);
  EXPECT_EQ(take(walk, "C", 9), Step::kIncomplete);
}

}  // namespace
}  // namespace sessionlogd
