// Decides which page of a listing to ask for next, and whether the pages have shown every row, although rows come and
// go between two pages. No total is believed.
//
// Each page starts on the last row of the one before. Rows that were inserted before it push that row further into the
// page: what stands before it is known. If it is not there, rows before it were deleted and others slipped past; if a
// row that was seen comes behind it, the order is not the same in each response: the walk must start over. Knows
// nothing of requests.
//
//   page 1: A B C        page 2 asks from C:  C D E  fine   X C D  fine, X was inserted   D E F  start over: who knows
//   what B's                                  C A D  start over: A was seen               deletion hid
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

namespace sessionlogd {

class PageWalk {
 public:
  PageWalk() = default;
  // What stands before this row is not asked for.
  explicit PageWalk(std::size_t begin) : rows_(begin) {}

  // Offset of the next page's first row.
  std::size_t offset() const { return overlaps() ? rows_ - 1 : rows_; }

  // How many rows to ask for at most, 0 = as many as usual. Where a page repeats what is known, less than it had is
  // asked for: a source that ignores the offset gives as many again if it ignores the limit, too, and then that is all
  // there is.
  std::size_t limit() const { return barren_pages_ == 0 ? 0 : last_page_ - 1; }

  enum class Step {
    kMore,        // ask for the next page
    kComplete,    // every row was shown: the last page was not full
    kStartOver,   // the rows moved in a way that may have hidden some
    kIncomplete,  // full pages of rows that are all known: the source ignores the offset
  };
  struct Page {
    std::span<const std::uint64_t> rows;  // hashes of them, in order
    std::size_t asked;                    // how many rows were asked for, 0 = as many as the source likes
    // Of the pages that this source has given lately: a page of so many is full, for a source may give less than is
    // asked for.
    std::size_t longest;
    // How many rows there are, as the source says. It proves nothing; but where it is higher than what was shown, a
    // page that is not full is not believed before another one has nothing.
    std::size_t total = 0;
  };
  Step take(const Page& page);

  // Different rows so far, and what tells them from others, whatever their order.
  std::size_t seen() const { return seen_.size(); }
  std::uint64_t sum_of_seen() const { return std::accumulate(seen_.begin(), seen_.end(), std::uint64_t{0}); }

 private:
  // A source that gives one row at a time would give the same one for ever.
  bool overlaps() const { return longest_here_ > 1; }
  // Full pages of rows that are all known come when many were inserted, and for ever from a source that ignores the
  // offset.
  static constexpr unsigned kMostBarrenPages = 3;

  std::size_t rows_ = 0;          // position behind the last row that was read
  std::size_t longest_here_ = 0;  // of the pages of this walk
  std::size_t last_page_ = 0;     // rows of the last one
  unsigned barren_pages_ = 0;     // in a row
  bool asked_once_more_ = false;  // behind a page that was not full
  std::uint64_t last_ = 0;        // the last row
  boost::unordered_flat_set<std::uint64_t> seen_;
};

}  // namespace sessionlogd
