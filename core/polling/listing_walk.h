// Walks through a listing, page by page, and says at the end whether it has shown every row. Where one walk over all
// pages cannot be had whole (the rows move, the source ignores offsets, there are too many to hold), the window of
// start times is cut in halves, the older one first. Knows nothing of requests; of a row it holds its hash.
//
//   [        window        ]  rows move, or are too many
//   [  older  ][   newer   ]  neighbours overlap by 2 s
//   [  ][    ]                and so on, down to a minute
//                     [tail]  of a sweep: no window shows a row without a start, so the last rows come without one
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/timestamp.h"
#include "core/polling/page_walk.h"

namespace sessionlogd {

class ListingWalk {
 public:
  // What one walk holds of its rows is less than half a MiB. A sweep may hold more: up to 31 bytes a row, where its
  // source's done marks take 33.
  static constexpr std::size_t kMostRows = 20'000, kMostRowsOfASweep = 1'000'000;

  // Of start times; open where there is none.
  struct Window {
    std::optional<Instant> from, to;
  };
  struct Source {
    bool has_pages;                     // it takes an offset: else the first response is all
    bool has_slices;                    // it takes windows open to both sides
    std::size_t most_rows = kMostRows;  // of one walk, where there are slices
    bool is_sweep = false;              // everything is to be shown, also what has no start
  };
  ListingWalk(Window window, Source source);

  // All was asked for.
  bool ended() const { return parts_.empty(); }
  // What to ask for next, unless it has ended.
  const Window& window() const { return parts_.back().window; }
  std::size_t offset() const { return pages_.offset(); }
  std::size_t limit() const { return pages_.limit(); }

  struct Row {
    std::uint64_t hash;            // of its id and its start
    std::optional<Instant> start;  // as it was written
  };
  // What was given of it; but for the rows as PageWalk::Page has it.
  struct Page {
    std::span<const Row> rows;
    std::size_t asked, longest, total = 0;
  };
  // The page that was asked for; `now` by the source's clock.
  void take(const Page& page, Instant now);
  // There is no such page: rows went while it was asked for.
  void moved(Instant now) { start_over(now); }

  // Of a walk that has ended: every row was shown. missing() says why not.
  bool complete() const { return missing_.empty(); }
  std::string_view missing() const { return missing_; }

  // It went through slices: rows without a start were perhaps not shown.
  bool was_cut() const { return cuts_ > 0; }
  // All that began before was shown completely: a walk that is cut off by a restart goes on from there. Of a long sweep
  // through no slices that is nothing; but the next one can go through slices.
  std::optional<Instant> place() const { return place_; }
  // Of a walk that went through no slices, to its end: the source says that there are more rows than it showed. That
  // proves nothing of one walk.
  struct Short {
    std::size_t total, shown;
    std::uint64_t rows;  // which they were, whatever their order
  };
  const std::optional<Short>& short_of_total() const { return short_; }
  // Rows taken, those that were shown twice counted twice.
  std::size_t rows() const { return rows_; }

 private:
  struct Part {
    Window window;
    // Of the newer half of a cut: the sum of the rows on the older one's first page, if that was full.
    bool follows_older = false;
    std::uint64_t older_first_page = 0;
    bool is_tail = false;
  };

  void take_tail(const Page& page, std::span<const std::uint64_t> hashes, Instant now);
  void add_tail();
  bool is_uncut_sweep() const;
  void start_over(Instant now);
  bool repeats_older_half(std::span<const Row> rows, bool is_full);
  void next_part();
  void cut_or_give_up(std::string_view why, Instant now);
  std::optional<Instant> middle(Instant now) const;

  const Source source_;
  std::vector<Part> parts_;  // still to be walked, the oldest last
  PageWalk pages_;           // of the oldest
  unsigned tries_ = 0;       // of it
  unsigned cuts_ = 0;
  // No window could be walked page by page. Of rows in another order each time two pages may fit by chance, so a slice
  // is believed that fits into one page, as long as it can be made so short.
  bool moves_ = false;
  std::optional<Instant> oldest_, newest_;  // starts
  std::string_view missing_;
  std::optional<Instant> place_;
  std::optional<Short> short_;
  std::size_t rows_ = 0;
};

}  // namespace sessionlogd
