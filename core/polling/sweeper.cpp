#include "core/polling/sweeper.h"

#include <algorithm>
#include <utility>

#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::minutes kClockJumped{5};
constexpr unsigned kIncompleteIsOdd = 3;
constexpr std::int64_t kOverlapOfSlices = 2;
constexpr unsigned kMostFailures = 3;            // of one page
constexpr std::chrono::minutes kSweepsAgain{1};  // after one that was given up, then doubling
constexpr unsigned kMostDoublings = 10;
constexpr double kSecondsOfASlice = 6;

}  // namespace

Sweeper::Sweeper(Parts parts)
    : settings_(parts.settings),
      table_(parts.table),
      health_(parts.health),
      found_(parts.found),
      discovery_(parts.discovery),
      sweeps_(parts.sweeps),
      in_one_round_(parts.in_one_round),
      now_(std::move(parts.now)),
      inquire_(std::move(parts.inquire)),
      commit_(std::move(parts.commit)),
      witnesses_(*settings_.dialect) {
  const SourceState& source = table_.source();
  if (sweeps_) health_.swept_before(source.faulty_sweeps);
  odd_ = source.before || source.faulty_sweeps > 0 || (source.reading != 0 && source.reading != reading_of(settings_));
}

void Sweeper::begin_anew() {
  ++again_;
  odd_ = true;
  swept_at_.reset();
}

void Sweeper::listed(std::optional<Instant> window, std::chrono::seconds clock_offset, bool is_complete) {
  const bool jumped = std::chrono::abs(clock_offset - std::exchange(clock_offset_, clock_offset)) > kClockJumped;
  const bool lacks = witnesses_.are_lacking(window);
  incomplete_ = is_complete ? 0 : incomplete_ + 1;
  odd_ |= jumped || lacks || incomplete_ >= kIncompleteIsOdd;
}

bool Sweeper::is_due() const {
  const SourceState& source = table_.source();
  const bool has_window = !settings_.dialect->sessions.from.empty();
  if (!sweeps_ || !has_window || !source.line || stopping_) return false;
  if (walk_) return true;
  const Watched now = now_(), interval = settings_.poll.sweep_interval;
  if (given_up_ > 0 && swept_at_) {
    const Watched wait = kSweepsAgain * (1u << std::min(given_up_ - 1, kMostDoublings));
    return now - *swept_at_ >= std::min(wait, interval / 24);
  }
  if (source.sweep_place) return true;
  const bool may_come_early = !swept_at_ || now - *swept_at_ >= interval / (source.contact_over ? 4 : 24);
  const std::optional<Watched> last = source.sweeps.back();
  return may_come_early && (odd_ || !last || !source.contact_over || now - *last >= interval);
}

void Sweeper::begin() {
  rows_ = 0;
  odd_ = false;
  failures_ = 0;
  witnesses_.forget();
  discovery_.learn_pages_anew();
  found_.sweep_begins();
  table_.begin_sweep();
}

Task<void> Sweeper::sweep(SteadyTime until) {
  // What it has shown so far was shown before it was asked for again.
  if (walked_again_ != again_) {
    walk_.reset();
    table_.source().sweep_place.reset();
    walked_again_ = again_;
  }
  if (!walk_) {
    std::optional<Instant> from = table_.source().sweep_place;
    was_resumed_ = from.has_value();
    if (from) from->seconds -= kOverlapOfSlices;
    walk_.emplace(discovery_.sweep(from, most_rows_of_a_walk()));
    begin();
  }
  const unsigned again = again_;
  const std::optional<Instant> place_before = table_.source().sweep_place;
  // One round leaves no walk behind: until a slice of it is over, the next one would begin where this one did.
  const auto is_in_vain = [&] { return in_one_round_ && table_.source().sweep_place == place_before; };
  while (SteadyClock::now() < until || is_in_vain()) {
    if (!co_await found_.room_to_sweep() || again != again_) co_return;
    const Result<SessionPage> page =
        co_await discovery_.next_page(*walk_, Discovery::Of::kWindow, Discovery::kShareOfSweeps);
    if (again != again_ || stopping_) co_return;
    if (page.has_error()) {
      if (++failures_ == kMostFailures) give_up(page.error().detail);
      co_return;
    }
    failures_ = 0;
    found_.take_in(page->sessions, inquire_());
    rows_ += page->rows.size();
    if (walk_->ended()) {
      const ListingWalk walk = *std::exchange(walk_, std::nullopt);
      end(walk, was_resumed_);
      co_return;
    }
    // All that was shown of the slices before is in batches before this one.
    if (walk_->place() && walk_->place() != table_.source().sweep_place) {
      table_.source().sweep_place = walk_->place();
      commit_();
    }
  }
}

// What a restart cut off goes on in slices, so that the next restart finds a place. In one round the slices are so
// short that one is shown to its end within it: the next round goes on behind.
std::size_t Sweeper::most_rows_of_a_walk() const {
  if (!in_one_round_) return table_.source().sweep_place ? ListingWalk::kMostRows : ListingWalk::kMostRowsOfASweep;
  const double pages = kSecondsOfASlice * Discovery::kShareOfSweeps * settings_.poll.rate_per_second;
  return static_cast<std::size_t>(std::max(pages, 2.0) * static_cast<double>(discovery_.longest_page()));
}

// One page cannot be had: most often that passes, and the next sweep begins soon. What was shown until then says
// nothing of what there is.
void Sweeper::give_up(const std::string& why) {
  walk_.reset();
  ++given_up_;
  swept_at_ = now_();
  say_swept(rows_, why);
  commit_();
}

// How many were faulty in a row is durable: a restart must not make a source well that is not. One that was walked to
// its end and showed nothing is a fault at once.
void Sweeper::say_swept(std::size_t rows, std::string_view missing) {
  std::uint8_t& faulty = table_.source().faulty_sweeps;
  const bool shows_none = missing.empty() && rows == 0 && table_.done() > 0;
  const bool is_faulty = shows_none || !missing.empty();
  const unsigned in_a_row = is_faulty ? faulty + 1u : 0u;
  const unsigned least = shows_none ? SourceHealth::kFaultySweeps : 0u;
  faulty = static_cast<std::uint8_t>(std::clamp(in_a_row, least, 255u));
  health_.swept(rows, table_.done(), missing, faulty);
}

void Sweeper::end(const ListingWalk& walk, bool was_resumed) {
  SourceState& source = table_.source();
  swept_at_ = now_();
  given_up_ = 0;
  source.sweep_place.reset();
  const std::size_t rows = walk.rows();
  if (!source.contact_over) {
    source.idle_sweeps = table_.left_alone() > 0 ? 0 : static_cast<std::uint8_t>(source.idle_sweeps + 1);
    source.contact_over = (walk.complete() && rows > 0) || source.idle_sweeps >= 3;
  }
  std::vector<StateRecord> records;
  if (walk.complete()) {
    using Absence = SessionTable::Absence;
    const Absence absence = was_resumed      ? Absence::kProvesNothing
                            : walk.was_cut() ? Absence::kOfThoseWithStart
                                             : Absence::kOfAll;
    const std::size_t dropped = table_.end_sweep(*swept_at_, absence, records);
    log_debug({.source = settings_.name}, "was swept: {} rows, {} done marks dropped", rows, dropped);
  }
  say_swept(rows, walk.missing());
  health_.short_of_total(walk.short_of_total());
  found_.push(std::move(records));
  commit_();
}

}  // namespace sessionlogd
