#include "core/polling/listing_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

constexpr Instant kToday{1'800'000'000, 0};

struct Sessions {
  std::vector<ListingWalk::Row> rows;

  explicit Sessions(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      rows.push_back({i + 1, Instant{kToday.seconds - 10 * static_cast<std::int64_t>(count - i), 0}});
  }
};

// Walks to the end. `page(window, offset)` is the source. Returns the rows that were shown.
using Source = std::function<std::vector<ListingWalk::Row>(const ListingWalk::Window&, std::size_t offset)>;
std::set<std::uint64_t> walk_all(ListingWalk& walk, const Source& source, std::size_t asked, int most_pages = 100'000) {
  std::set<std::uint64_t> shown;
  std::size_t longest = 1;
  for (int pages = 0; !walk.ended() && pages < most_pages; ++pages) {
    const auto rows = source(walk.window(), walk.offset());
    for (const auto& row : rows) shown.insert(row.hash);
    if (rows.size() <= asked) longest = std::max(longest, rows.size());
    walk.take({rows, asked, longest}, kToday);
  }
  EXPECT_TRUE(walk.ended());
  return shown;
}

std::vector<ListingWalk::Row> in_window(const std::vector<ListingWalk::Row>& rows, const ListingWalk::Window& window) {
  std::vector<ListingWalk::Row> in;
  for (const auto& row : rows) {
    if (!row.start && (window.from || window.to)) continue;
    if ((!window.from || *row.start >= *window.from) && (!window.to || *row.start <= *window.to)) in.push_back(row);
  }
  return in;
}

std::vector<ListingWalk::Row> page_of(const std::vector<ListingWalk::Row>& rows, std::size_t offset, std::size_t most) {
  const std::size_t begin = std::min(offset, rows.size()), end = std::min(rows.size(), begin + most);
  return {rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.begin() + static_cast<std::ptrdiff_t>(end)};
}

TEST(ListingWalk, ShowsEverythingPageByPage) {
  const Sessions sessions(450);
  ListingWalk walk({}, {.has_pages = true, .has_slices = true});
  const auto shown = walk_all(
      walk, [&](const auto& window, std::size_t at) { return page_of(in_window(sessions.rows, window), at, 200); },
      200);
  EXPECT_EQ(shown.size(), 450u);
  EXPECT_TRUE(walk.complete());
  EXPECT_FALSE(walk.was_cut());
}

TEST(ListingWalk, CutsTheWindowWhereTheSourceIgnoresTheOffset) {
  const Sessions sessions(450);
  ListingWalk walk({}, {.has_pages = true, .has_slices = true});
  const auto shown = walk_all(
      walk, [&](const auto& window, std::size_t) { return page_of(in_window(sessions.rows, window), 0, 200); }, 200);
  EXPECT_EQ(shown.size(), 450u);
  EXPECT_TRUE(walk.complete());
  EXPECT_TRUE(walk.was_cut());
}

// Often, for pages in no order fit together by chance now and then.
TEST(ListingWalk, CutsTheWindowWhereTheOrderShuffles) {
  const Sessions sessions(230);
  std::mt19937_64 random(test::random_seed());
  for (int round = 0; round < 500; ++round) {
    ListingWalk walk({}, {.has_pages = true, .has_slices = true});
    const auto shown = walk_all(
        walk,
        [&](const auto& window, std::size_t at) {
          auto rows = in_window(sessions.rows, window);
          std::ranges::shuffle(rows, random);
          return page_of(rows, at, 50);
        },
        50);
    ASSERT_TRUE(walk.complete()) << "in round " << round;
    ASSERT_EQ(shown.size(), 230u) << "in round " << round;
  }
}

TEST(ListingWalk, SaysThatItIsIncompleteWhereTheSourceIgnoresOffsetAndWindow) {
  const Sessions sessions(450);
  ListingWalk walk({}, {.has_pages = true, .has_slices = true});
  walk_all(
      walk, [&](const auto&, std::size_t) { return page_of(sessions.rows, 0, 200); }, 200, 100);
  EXPECT_FALSE(walk.complete());
}

TEST(ListingWalk, SaysThatItIsIncompleteWhereThereIsNoWindowToCut) {
  const Sessions sessions(450);
  ListingWalk walk({}, {.has_pages = true, .has_slices = false});
  walk_all(
      walk, [&](const auto&, std::size_t) { return page_of(sessions.rows, 0, 200); }, 200);
  EXPECT_FALSE(walk.complete());
  ListingWalk whole({}, {.has_pages = false, .has_slices = false});
  EXPECT_EQ(walk_all(
                whole, [&](const auto&, std::size_t) { return sessions.rows; }, 0)
                .size(),
            450u);
  EXPECT_TRUE(whole.complete());
}

TEST(ListingWalk, HoldsAtMostSoManyRowsOfOneWalk) {
  const Sessions sessions(50'000);
  ListingWalk walk({}, {.has_pages = true, .has_slices = true});
  std::size_t furthest = 0;
  const auto shown = walk_all(
      walk,
      [&](const auto& window, std::size_t at) {
        furthest = std::max(furthest, at);
        return page_of(in_window(sessions.rows, window), at, 200);
      },
      200);
  EXPECT_EQ(shown.size(), 50'000u);
  EXPECT_TRUE(walk.complete());
  EXPECT_LE(furthest, 20'200u);
}

TEST(ListingWalk, GoesOnAfterARestartFromTheLastSliceThatWasShown) {
  const Sessions sessions(50'000);
  const Source source = [&](const auto& window, std::size_t at) {
    return page_of(in_window(sessions.rows, window), at, 200);
  };
  ListingWalk first({}, {.has_pages = true, .has_slices = true});
  std::set<std::uint64_t> shown;
  while (!first.place()) {
    const auto rows = source(first.window(), first.offset());
    for (const auto& row : rows) shown.insert(row.hash);
    first.take({rows, 200, 200}, kToday);
  }
  ListingWalk second({Instant{first.place()->seconds - 2, 0}, std::nullopt}, {.has_pages = true, .has_slices = true});
  shown.merge(walk_all(second, source, 200));
  EXPECT_EQ(shown.size(), 50'000u);
}

TEST(ListingWalk, StartsOverWhereThereIsNoSuchPageAnyMore) {
  const Sessions sessions(250);
  ListingWalk walk({}, {.has_pages = true, .has_slices = true});
  walk.take({page_of(sessions.rows, 0, 200), 200, 200}, kToday);
  EXPECT_EQ(walk.offset(), 199u);
  walk.moved(kToday);
  EXPECT_EQ(walk.offset(), 0u);
  EXPECT_FALSE(walk.ended());
}

TEST(ListingWalk, IsCutIntoSlicesThatAreAsShortAsWanted) {
  const Sessions sessions(3'000);
  ListingWalk walk({}, {.has_pages = true, .has_slices = true, .most_rows = 300});
  std::size_t furthest = 0;
  const auto shown = walk_all(
      walk,
      [&](const auto& window, std::size_t at) {
        furthest = std::max(furthest, at);
        return page_of(in_window(sessions.rows, window), at, 100);
      },
      100);
  EXPECT_EQ(shown.size(), 3'000u);
  EXPECT_LE(furthest, 400u);
}

// Cut for whatever reason, it ends with the last rows of a listing without a window: they have no start.
TEST(ListingWalk, EndsASweepThatWasCutWithRowsWithoutAStart) {
  Sessions sessions(3'000);
  for (std::uint64_t i = 0; i < 70; ++i) sessions.rows.push_back({10'000 + i, std::nullopt});
  const auto walked = [&](ListingWalk::Window window, std::uint64_t total) {
    ListingWalk walk(window, {.has_pages = true, .has_slices = true, .most_rows = 300, .is_sweep = true});
    std::set<std::uint64_t> shown;
    for (int pages = 0; !walk.ended() && pages < 1'000; ++pages) {
      const auto rows = page_of(in_window(sessions.rows, walk.window()), walk.offset(), 50);
      for (const auto& row : rows) shown.insert(row.hash);
      walk.take({rows, 50, 50, walk.window().from || walk.window().to ? 0 : total}, kToday);
    }
    EXPECT_TRUE(walk.ended());
    EXPECT_TRUE(walk.complete());
    return shown;
  };
  EXPECT_EQ(walked({}, 3'070).size(), 3'070u);
  EXPECT_EQ(walked({Instant{0, 0}, std::nullopt}, 3'070).size(), 3'070u) << "a place to go on from";
  EXPECT_GE(walked({}, 0).size(), 3'000u) << "no total";
  EXPECT_GE(walked({}, 1'000'000).size(), 3'000u) << "a total that is not true";
}

TEST(ListingWalk, HasAPlaceOnceASweepIsLongAndNoSliceIsOver) {
  const Sessions sessions(25'000);
  ListingWalk walk(
      {}, {.has_pages = true, .has_slices = true, .most_rows = ListingWalk::kMostRowsOfASweep, .is_sweep = true});
  std::size_t furthest = 0;
  walk_all(
      walk,
      [&](const auto&, std::size_t at) {
        furthest = at;
        EXPECT_EQ(walk.place().has_value(), at >= 19'999) << at;
        return page_of(sessions.rows, at, 200);
      },
      200);
  EXPECT_GT(furthest, 24'000u);
  EXPECT_FALSE(walk.was_cut());
}

// One minute holds more than can be had: that is said, and the rest is shown all the same.
TEST(ListingWalk, LeavesOutWhatAMinutesWidthCannotGive) {
  Sessions sessions(100);
  for (std::size_t i = 0; i < 50; ++i) sessions.rows.push_back({1'000 + i, sessions.rows[40].start});
  std::ranges::sort(sessions.rows, {}, [](const auto& row) { return *row.start; });
  ListingWalk walk({}, {.has_pages = true, .has_slices = true});
  const auto shown = walk_all(
      walk, [&](const auto& window, std::size_t) { return page_of(in_window(sessions.rows, window), 0, 20); }, 20);
  EXPECT_FALSE(walk.complete());
  for (std::uint64_t row = 1; row <= 100; ++row) {
    const auto distance = std::max<std::int64_t>(row, 41) - std::min<std::int64_t>(row, 41);
    if (distance > 20) {
      EXPECT_TRUE(shown.contains(row)) << row;
    }
  }
}

}  // namespace
}  // namespace sessionlogd
