#include "core/polling/page_walk.h"

#include <algorithm>

namespace sessionlogd {

PageWalk::Step PageWalk::take(const Page& page) {
  const std::span<const std::uint64_t> rows = page.rows;
  const std::size_t begin = offset();
  auto fresh = rows.begin();
  if (overlaps()) {
    const auto last = std::find(rows.begin(), rows.end(), last_);
    // A page at the offset of the last row that is empty: that row is gone.
    if (last == rows.end()) return Step::kStartOver;
    fresh = last + 1;
  }
  const std::size_t before = seen_.size();
  const bool is_more_than_asked = page.asked != 0 && rows.size() > page.asked;
  const bool is_full = rows.size() >= page.longest || rows.size() == page.asked;
  const auto is_seen = [&](std::uint64_t row) { return seen_.contains(row); };
  const auto known_behind = static_cast<std::size_t>(std::count_if(fresh, rows.end(), is_seen));
  // The first page again: the source ignores the offset. A part of it, in another order, is something else.
  const bool barren = known_behind == static_cast<std::size_t>(rows.end() - fresh);
  if (known_behind > 0 && !(barren && is_full)) return Step::kStartOver;
  seen_.insert(rows.begin(), rows.end());
  longest_here_ = std::max(longest_here_, rows.size());
  last_page_ = rows.size();
  rows_ = begin + rows.size();
  if (!rows.empty()) last_ = rows.back();
  if (rows.empty() || is_more_than_asked) return Step::kComplete;
  if (!is_full) {
    const bool may_be_more = page.total > seen_.size() && (!asked_once_more_ || seen_.size() > before);
    asked_once_more_ = true;
    return may_be_more ? Step::kMore : Step::kComplete;
  }
  // No source gives pages of one row and ignores the offset: one row is all that this one has.
  if (begin == 1 && barren && rows.size() == 1 && seen_.size() == 1) return Step::kComplete;
  barren_pages_ = seen_.size() > before ? 0 : barren_pages_ + 1;
  return barren_pages_ == kMostBarrenPages ? Step::kIncomplete : Step::kMore;
}

}  // namespace sessionlogd
