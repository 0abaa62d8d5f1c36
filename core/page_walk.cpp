#include "core/page_walk.h"

#include <algorithm>

namespace sessionlogd {

PageWalk::Step PageWalk::take(std::span<const std::string> ids, std::optional<std::uint64_t> total) {
  const std::size_t begin = offset();
  auto fresh = ids.begin();
  if (overlaps()) {
    const auto last = std::find(ids.begin(), ids.end(), last_);
    if (last == ids.end()) return Step::kStartOver;
    fresh = last + 1;
  }
  const bool has_news = std::any_of(fresh, ids.end(), [&](const std::string& id) { return !seen_.contains(id); });
  barren_pages_ = has_news ? 0 : barren_pages_ + 1;
  const bool at_end = ids.empty() || ids.size() < longest_ || barren_pages_ == kMostBarrenPages;
  seen_.insert(ids.begin(), ids.end());
  longest_ = std::max(longest_, ids.size());
  rows_ = begin + ids.size();
  if (!ids.empty()) last_ = ids.back();

  // A first page that holds the whole total needs no second one; later, a total may be reached by rows that are gone
  // meanwhile.
  if (begin == 0 && total && reaches(total)) return Step::kComplete;
  if (!at_end) return Step::kMore;
  return reaches(total) ? Step::kComplete : Step::kIncomplete;
}

}  // namespace sessionlogd
