#include "core/polling/listing_walk.h"

#include <algorithm>
#include <chrono>

namespace sessionlogd {
namespace {

constexpr unsigned kTriesPerWindow = 3;
constexpr std::int64_t kShortestSlice = 60, kOverlap = 2;
// Zones and clocks of rows may be others than those of the window.
constexpr std::int64_t kDay = 24 * 3600;
constexpr unsigned kMostCuts = 4'096;
constexpr std::size_t kRowsOfATail = 10'000;
constexpr Instant kBeforeAll{0, 0};

constexpr std::string_view kMoved = "its rows moved too fast to be sure that none was missed";
constexpr std::string_view kIgnoresOffset = "it gives the same full page whatever the offset: there may be more";
constexpr std::string_view kTooLong = "it has more rows than can be held, and no window makes it shorter";
constexpr std::string_view kIgnoresWindow = "it cannot be had whole, and gives the same rows whatever the window";

}  // namespace

ListingWalk::ListingWalk(Window window, Source source) : source_(source) {
  if (source.is_sweep && window.from) add_tail();
  parts_.push_back({window});
}

void ListingWalk::take(const Page& page, Instant now) {
  const std::span<const Row> rows = page.rows;
  std::vector<std::uint64_t> hashes;
  hashes.reserve(rows.size());
  for (const Row& row : rows) {
    hashes.push_back(row.hash);
    if (!row.start) continue;
    oldest_ = std::min(oldest_.value_or(*row.start), *row.start);
    newest_ = std::max(newest_.value_or(*row.start), *row.start);
  }
  rows_ += rows.size();
  if (parts_.back().is_tail) return take_tail(page, hashes, now);
  if (repeats_older_half(rows, rows.size() >= page.longest || rows.size() == page.asked)) {
    missing_ = kIgnoresWindow;
    return parts_.clear();
  }
  const PageWalk::Step step =
      source_.has_pages ? pages_.take({hashes, page.asked, page.longest, page.total}) : PageWalk::Step::kComplete;
  switch (step) {
    case PageWalk::Step::kMore:
      if (pages_.seen() >= source_.most_rows && source_.has_slices) return cut_or_give_up(kTooLong, now);
      if (moves_ && middle(now)) return cut_or_give_up(kMoved, now);
      if (is_uncut_sweep() && pages_.seen() >= kMostRows) place_ = kBeforeAll;
      return;
    case PageWalk::Step::kComplete:
      if (complete()) place_ = window().to;
      if (!was_cut() && page.total > pages_.seen()) short_ = {page.total, pages_.seen(), pages_.sum_of_seen()};
      return next_part();
    case PageWalk::Step::kStartOver:
      return start_over(now);
    case PageWalk::Step::kIncomplete:
      return cut_or_give_up(kIgnoresOffset, now);
  }
}

// Behind slices, so that what it lacks makes nothing incomplete. Sources put rows without a start first or last: the
// total says where to look, and proves nothing.
void ListingWalk::take_tail(const Page& page, std::span<const std::uint64_t> hashes, Instant now) {
  const bool is_first = pages_.offset() == 0;
  const PageWalk::Step step = pages_.take({hashes, page.asked, page.longest, page.total});
  const std::size_t most = std::min(kRowsOfATail, source_.most_rows / 2);
  if (is_first && page.total > hashes.size() + most) {
    pages_ = PageWalk(page.total - most);
  } else if (step == PageWalk::Step::kStartOver) {
    start_over(now);
  } else if (step != PageWalk::Step::kMore || pages_.seen() >= source_.most_rows) {
    next_part();
  }
}

void ListingWalk::add_tail() {
  if (parts_.empty() || !parts_.front().is_tail) parts_.insert(parts_.begin(), Part{.window = {}, .is_tail = true});
}

bool ListingWalk::is_uncut_sweep() const {
  return source_.is_sweep && source_.has_slices && !was_cut() && !window().from;
}

void ListingWalk::start_over(Instant now) {
  pages_ = {};
  if (++tries_ < kTriesPerWindow) return;
  if (parts_.back().is_tail) return next_part();
  moves_ = true;
  cut_or_give_up(kMoved, now);
}

// Both halves of a cut begin with the same full page: the window is ignored, and cutting it on would never end.
bool ListingWalk::repeats_older_half(std::span<const Row> rows, bool is_full) {
  if (pages_.offset() != 0 || !is_full || rows.empty()) return false;
  std::uint64_t sum = 0;
  for (const Row& row : rows) sum += row.hash;
  if (parts_.size() > 1 && parts_[parts_.size() - 2].follows_older) parts_[parts_.size() - 2].older_first_page = sum;
  return parts_.back().older_first_page == sum;
}

void ListingWalk::next_part() {
  parts_.pop_back();
  pages_ = {};
  tries_ = 0;
}

void ListingWalk::cut_or_give_up(std::string_view why, Instant now) {
  const std::optional<Instant> at = middle(now);
  if (!at) {
    missing_ = why;
    return next_part();
  }
  const Window whole = window();
  next_part();
  if (source_.is_sweep) add_tail();
  parts_.push_back({.window = {Instant{at->seconds - kOverlap, 0}, whole.to}, .follows_older = true});
  parts_.push_back({.window = {whole.from, *at}});
  ++cuts_;
}

// nullopt: it cannot be cut.
std::optional<Instant> ListingWalk::middle(Instant now) const {
  if (!source_.has_slices || cuts_ == kMostCuts) return std::nullopt;
  const std::int64_t from = window().from.value_or(Instant{INT64_MIN}).seconds;
  const Instant oldest = oldest_.value_or(window().from.value_or(now)), newest = std::max(newest_.value_or(now), now);
  const std::int64_t begin = std::max(from, oldest.seconds - kDay);
  const std::int64_t end = window().to ? window().to->seconds : newest.seconds + kDay;
  if (end - begin < 2 * kShortestSlice) return std::nullopt;
  return Instant{begin + (end - begin) / 2, 0};
}

}  // namespace sessionlogd
