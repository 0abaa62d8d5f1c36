// Decides which page of a listing to ask for next, and when the listing is complete, although rows come and go between
// two pages.
//
// Each page starts on the last row of the one before. Rows that were inserted before it push that row further into the
// page: what stands before it is known. If it is not there, rows before it were deleted and others slipped past: the
// walk must start over. Knows nothing of requests.
//
//   page 1: A B C        page 2 asks from C:  C D E  well   X C D  well, X was inserted   D E F  start over: who knows
//   what B's
//                                                                                                deletion hid
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

namespace sessionlogd {

class PageWalk {
 public:
  // Offset of the next page's first row.
  std::size_t offset() const { return overlaps() ? rows_ - 1 : rows_; }

  enum class Step {
    kMore,        // ask for the next page
    kComplete,    // every row was seen
    kStartOver,   // the rows moved in a way that may have hidden some
    kIncomplete,  // the end was reached, but the source says that there are more rows than it showed
  };
  // What a page held: the ids of its rows in order, and the total if it was given.
  Step take(std::span<const std::string> ids, std::optional<std::uint64_t> total);

 private:
  // A source that gives one row at a time would give the same one for ever.
  bool overlaps() const { return longest_ > 1; }
  // Full pages of rows that are all known come when many were inserted, and for ever from a source that ignores the
  // offset.
  static constexpr unsigned kMostBarrenPages = 3;
  bool reaches(std::optional<std::uint64_t> total) const { return !total || seen_.size() >= *total; }

  std::size_t rows_ = 0;       // position behind the last row that was read
  std::size_t longest_ = 0;    // of the pages so far: a source may give less than is asked for
  unsigned barren_pages_ = 0;  // in a row
  std::string last_;           // id of the last row
  std::unordered_set<std::string> seen_;
};

}  // namespace sessionlogd
