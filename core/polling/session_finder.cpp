#include "core/polling/session_finder.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/api/admission.h"
#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kClockHolds{5};
constexpr std::chrono::minutes kClockJumped{5};
constexpr unsigned kTriesInOneRound = 4;
constexpr unsigned kIncompleteIsOdd = 3;
constexpr std::chrono::seconds kLongListing{60};
constexpr std::chrono::hours kLongestListingOfOnePass{1};
constexpr int kLongWithoutSuccess = 10;  // times max_interval, as for logs
constexpr int kDriftOfListing = 8;       // a listing begins up to an eighth of its interval early
constexpr std::chrono::seconds kLongestSweepOfOneRound{60};
constexpr std::chrono::hours kLookBack{24}, kLooksBackEvery{1};
constexpr std::size_t kWitnesses = 8;
constexpr std::int64_t kOverlapOfSlices = 2;
constexpr unsigned kMostFailures = 3;            // of one page of a sweep
constexpr std::chrono::minutes kSweepsAgain{1};  // after one that was given up, then doubling
constexpr unsigned kMostDoublings = 10;
constexpr double kSecondsOfASlice = 6;
// No clock that is right says less: this version did not exist before.
constexpr Instant kThisVersion{1'793'491'200, 0};  // 2026-11-01T00:00:00Z

// Whether one pass tries once more to list what could not be listed.
bool may_pass_soon(const Error& error) {
  return error.kind != ErrorKind::kRefused && !(error.retry_after > kMostWaitOfOnePass);
}

}  // namespace

SessionFinder::SessionFinder(Parts parts)
    : io_(parts.io),
      settings_(parts.settings),
      api_(parts.api),
      table_(parts.table),
      health_(parts.health),
      found_(parts.found),
      pace_(parts.pace),
      random_(parts.random),
      rounds_(parts.rounds),
      sweeps_(parts.sweeps && settings_.sessions.empty()),
      discovery_(
          api_, settings_,
          [this] {
            hear_the_clocks();
            return watched_now();
          },
          std::move(parts.bad_body)),
      watched_(table_.source().watched, SteadyClock::now()),
      wake_(io_) {
  const SourceState& source = table_.source();
  if (sweeps_) health_.swept_before(source.faulty_sweeps);
  odd_ = source.before || source.faulty_sweeps > 0 || (source.reading != 0 && source.reading != reading_of(settings_));
}

void SessionFinder::stop() {
  stopping_ = true;
  wake_.notify();
}

void SessionFinder::list_again(Instant since) {
  ++again_;
  listed_again_from_ = std::min(listed_again_from_.value_or(since), since);
  odd_ = true;
  swept_at_.reset();
  wake_.notify();
}

Showing SessionFinder::showing() const {
  return {.inquiry = inquiries_,
          .ended_long_ago_counts =
              rounds_ == Rounds::kOnce || !table_.source().contact_over || listed_again_from_.has_value(),
          .ours = system_now(),
          .theirs = api_.now(),
          .watched = watched_now()};
}

Task<void> SessionFinder::run() {
  Backoff backoff;
  while (co_await found_.room_to_list()) {
    const Result<void> listed = co_await list_once();
    if (stopping_) break;
    look_for_oddities(listed);
    if (listed.has_value()) {
      listed_at_ = SteadyClock::now();
      backoff.succeeded();
    }
    const auto wait = listed.has_value() ? wait_after_listing() : backoff.failed(random_());
    const bool ends = rounds_ == Rounds::kOnce && listed.has_error() &&
                      (backoff.failures() == kTriesInOneRound || !may_pass_soon(listed.error()));
    found_.listed(listed, ends ? SourceHealth::Tries::kEnd : SourceHealth::Tries::kGoOn);
    if (rounds_ == Rounds::kForever) {
      co_await until_next(SteadyClock::now() + wait);
    } else if (listed.has_value()) {
      co_await found_.all_read();
      if (is_sweep_due()) co_await sweep(SteadyClock::now() + kLongestSweepOfOneRound);
      if (sweep_) log_info({.source = settings_.name}, "was not swept to its end; the next pass goes on");
      break;
    } else if (ends) {
      break;
    } else {
      co_await wake_.wait_until(SteadyClock::now() + wait);
    }
  }
}

// Sources that began together, or went on together after a pause, would list in step for ever.
std::chrono::milliseconds SessionFinder::wait_after_listing() {
  const auto wait = pace_.after_listing(began_);
  return wait - std::chrono::milliseconds{static_cast<std::int64_t>(
                    random_() % static_cast<std::uint64_t>(wait.count() / kDriftOfListing + 1))};
}

// The sweep takes what time the windows leave.
Task<void> SessionFinder::until_next(SteadyTime next) {
  const unsigned again = again_;
  if (is_sweep_due()) co_await sweep(next);
  while (!stopping_ && again == again_ && SteadyClock::now() < next) co_await wake_.wait_until(next);
}

// ---- Windows

Task<Result<void>> SessionFinder::list_once() {
  if (!settings_.sessions.empty()) co_return co_await list_named();
  const unsigned again = again_;
  const bool looks_back = SteadyClock::now() - kLooksBackEvery >= looked_back_at_;
  Showing how = showing();
  how.inquiry = ++inquiries_;
  how.since = std::exchange(began_, std::nullopt);
  const Instant began_there = api_.now();
  // They are few, and what is read of them cannot wait for a long window.
  if (discovery_.can_list_running()) {
    ListingWalk running = discovery_.walk({});
    const Result<void> read = co_await read_walk(running, Discovery::Of::kRunning, how);
    if (read.has_error()) co_return read;
  }
  std::string missing;
  bool clock_held = false, is_all = false;
  Instant began = system_now();
  for (int tries = 0; tries < 2 && !clock_held; ++tries) {
    const std::chrono::seconds offset = api_.clock_offset();
    began = system_now();
    const std::optional<Instant> from = window_from_ = window_start();
    // A listing without a window is a sweep.
    is_all = sweeps_ && (!from || settings_.dialect->sessions.from.empty());
    how.by_sweep = is_all;
    if (is_all) begin_sweep();
    ListingWalk walk =
        is_all ? discovery_.sweep(std::nullopt, ListingWalk::kMostRowsOfASweep) : discovery_.walk({from, std::nullopt});
    const Result<void> read = co_await read_walk(walk, Discovery::Of::kWindow, how);
    if (read.has_error()) co_return read;
    missing = walk.missing();
    if (is_all) end_sweep(walk, false);
    // The first responses teach us the source's clock; a window that was computed by another proves nothing.
    clock_held = std::chrono::abs(api_.clock_offset() - offset) <= kClockHolds;
  }
  health_.incomplete(missing);
  last_listing_ = how.inquiry;
  std::vector<std::string> unseen = table_.open_but_not_in(how.inquiry);
  if (!unseen.empty()) {
    const auto asked = co_await ask_for_each(std::move(unseen));
    if (asked.has_error()) co_return asked.error();
  }
  incomplete_ = missing.empty() ? 0 : incomplete_ + 1;
  if (!missing.empty() || !clock_held || again != again_) co_return Result<void>();
  // From here on the next listing may begin later: all that this one showed is in batches before this one.
  began_ = began_there;
  if (looks_back) looked_back_at_ = SteadyClock::now();
  listed_again_from_.reset();
  table_.source().listed_to = began;
  commit_source();
  co_return Result<void>();
}

// One that was had before and is gone shows in its polls.
Task<Result<void>> SessionFinder::list_named() {
  std::vector<std::string> ids = settings_.sessions;
  Result<std::vector<NotHad>> asked = co_await ask_for_each(std::move(ids));
  if (asked.has_error()) co_return asked.error();
  std::erase_if(*asked, [this](const NotHad& one) { return table_.knows(one.id); });
  if (asked->empty()) {
    health_.has_all_named();
  } else {
    health_.lacks_named(asked->size(), asked->front().id, asked->front().why);
  }
  if (table_.source().line) commit_source();
  co_return Result<void>();
}

// Rows are taken in page by page: of a listing only one page is held.
Task<Result<void>> SessionFinder::read_walk(ListingWalk& walk, Discovery::Of of, Showing how) {
  std::size_t unusable = 0;
  if (of == Discovery::Of::kWindow) next_witnesses_.clear();
  struct Ends {
    std::optional<Walking>& walking;
    ~Ends() { walking.reset(); }
  } const ends{walking_};
  while (!walk.ended()) {
    if (!co_await found_.room_to_list()) co_return Error(ErrorKind::kCancelled, "stopping");
    const Result<SessionPage> page = co_await discovery_.next_page(walk, of, Discovery::kShareOfRate);
    if (page.has_error()) co_return page.error();
    // From the first page on: of a listing that waits for a login or a turn nothing is known yet.
    if (!walking_) walking_.emplace(Walking{SteadyClock::now()});
    const Result<void> drawn = draw_the_line();
    if (drawn.has_error()) co_return drawn;
    how.ours = system_now();
    how.theirs = api_.now();
    unusable += page->unusable();
    walking_->rows = walk.rows();
    found_.take_in(page->sessions, how);
    if (rounds_ == Rounds::kOnce && walked_for() >= kLongestListingOfOnePass)
      co_return Error(ErrorKind::kRefused, unended());
    if (of == Discovery::Of::kWindow) look_for_witnesses(page->sessions);
  }
  if (of == Discovery::Of::kWindow) health_.unusable(unusable);
  co_return Result<void>();
}

SteadyClock::duration SessionFinder::walked_for() const {
  return walking_ ? SteadyClock::now() - walking_->since : SteadyClock::duration::zero();
}

void SessionFinder::look(bool is_held_up) {
  const SteadyTime now = SteadyClock::now();
  const auto wait = api_.waits();
  if (walking_ && is_held_up) walking_->since = now;
  // What it waits for is no page that goes on and on.
  if (walking_ && wait && wait->what != WaitingFor::kRate)
    walking_->since += now - std::max(looked_at_, walking_->since);
  looked_at_ = now;
  const std::string what = unended();
  if (what.empty()) {
    if (no_end_.is_not_so(SteadyClock::now())) log_info({.source = settings_.name}, "listings end again");
  } else if (no_end_.is_so()) {
    log_warn({.source = settings_.name}, "{}", what);
  }
}

std::string SessionFinder::unended() const {
  if (walked_for() < kLongListing) return {};
  return fmt::format(
      "the listing has not ended: {} rows so far in {} s, and more are to come; what it shows is read. If the "
      "appliance "
      "has no such number of sessions, its pages never end: look there, and at what stands between",
      walking_->rows, std::chrono::duration_cast<std::chrono::seconds>(walked_for()).count());
}

bool SessionFinder::never_ends() const {
  return walked_for() >=
         std::max<SteadyClock::duration>(kLongListing, kLongWithoutSuccess * settings_.poll.max_interval);
}

// Returns those that cannot be had now: they are asked for again with the next listing.
Task<Result<std::vector<SessionFinder::NotHad>>> SessionFinder::ask_for_each(std::vector<std::string> ids) {
  std::vector<NotHad> not_had;
  Showing how = showing();
  how.inquiry = ++inquiries_;
  how.by_id = true;
  for (std::string& id : ids) {
    Result<ListedSession> asked = co_await discovery_.ask(id);
    const bool is_about_it =
        asked.has_error() && (asked.error().http_status != 0 || asked.error().kind == ErrorKind::kBadResponse);
    if (is_about_it) not_had.push_back({std::move(id), asked.error()});
    if (is_about_it) continue;
    if (asked.has_error()) co_return asked.error();
    const Result<void> drawn = draw_the_line();
    if (drawn.has_error()) co_return drawn.error();
    std::vector<ListedSession> found;
    found.push_back(std::move(*asked));
    found_.take_in(found, how);
  }
  co_return not_had;
}

Task<void> SessionFinder::ask_for(std::string id) {
  std::vector<std::string> ids;
  ids.push_back(std::move(id));
  (void)co_await ask_for_each(std::move(ids));
}

// By the earlier of our clock and the source's: a window that begins too early costs rows, one that begins too late
// costs a sweep.
std::optional<Instant> SessionFinder::window_start() const {
  const SourceState& source = table_.source();
  const Instant ours = system_now(), theirs = api_.now();
  const Instant now = std::min(ours, theirs);
  std::optional<Instant> from;
  if (source.listed_to) {
    const Instant listed_to = std::min(*source.listed_to, ours);
    from = back(std::min(listed_to, back(listed_to, -api_.usable_clock_offset())), settings_.poll.overlap);
    if (SteadyClock::now() - kLooksBackEvery >= looked_back_at_) from = std::min(*from, back(now, kLookBack));
  } else if (source.line) {
    if (*source.line != kNever) from = source.line;
  } else if (settings_.poll.lookback) {
    from = back(now, *settings_.poll.lookback);
    if (source.line_limit) from = std::min(*from, back(*source.line_limit, settings_.poll.overlap));
  }
  if (from && listed_again_from_) from = std::min(*from, *listed_again_from_);
  return from;
}

// nullopt: neither can be right.
std::optional<Instant> SessionFinder::earlier_clock() const {
  std::optional<Instant> earlier;
  for (const Instant clock : {system_now(), api_.now()}) {
    if (clock >= kThisVersion) earlier = std::min(earlier.value_or(clock), clock);
  }
  return earlier;
}

// The first commit of a source says where its first contact begins. Nothing moves that but an operator: a line that a
// restart drew anew would leave alone what was not read yet.
Result<void> SessionFinder::draw_the_line() {
  SourceState& source = table_.source();
  if (source.line) return Result<void>();
  if (!settings_.poll.lookback) {
    source.line = kNever;
  } else if (const auto now = earlier_clock()) {
    source.line = back(*now, *settings_.poll.lookback);
  } else {
    return Error(
        ErrorKind::kTryLater,
        "neither our clock nor the source's can be right, both are from before this version was made; set ours");
  }
  // What the output holds of it was read by a state that is lost; what began behind that was not.
  if (source.line_limit) source.line = std::min(*source.line, back(*source.line_limit, settings_.poll.overlap));
  source.reading = reading_of(settings_);
  commit_source();
  return Result<void>();
}

// At the first response: what passed while nobody ran is added before anything is computed from it.
void SessionFinder::hear_the_clocks() {
  if (watched_.is_heard()) return;
  watched_.heard(system_now(), api_.tells_time() ? std::optional(api_.now()) : std::nullopt, SteadyClock::now());
}

void SessionFinder::commit_source() {
  SourceState& source = table_.source();
  source.watched =
      watched_.keep(SteadyClock::now(), system_now(), api_.tells_time() ? std::optional(api_.now()) : std::nullopt);
  std::vector<StateRecord> records;
  records.push_back({0, StateRecord::kSourcePart, encode_source(source)});
  found_.push(std::move(records));
}

// ---- What makes a sweep come early

void SessionFinder::look_for_oddities(const Result<void>& listed) {
  if (listed.has_error()) return;
  const std::chrono::seconds offset = api_.clock_offset();
  const bool jumped = std::chrono::abs(offset - std::exchange(offset_, offset)) > kClockJumped;
  const bool lacks = std::ranges::any_of(witnesses_, [this](const Witness& one) {
    return !one.shown && (!window_from_ || one.start.seconds > window_from_->seconds + kOverlapOfSlices);
  });
  odd_ |= jumped || lacks || incomplete_ >= kIncompleteIsOdd;
  // Those that are lacking are looked for until a sweep has begun: the next listing lacks them, too.
  if (!lacks) witnesses_ = std::exchange(next_witnesses_, {});
  for (Witness& one : witnesses_) one.shown = false;
}

void SessionFinder::look_for_witnesses(const std::vector<ListedSession>& rows) {
  const auto is_older = [](const Witness& a, const Witness& b) { return a.start > b.start; };
  for (const ListedSession& row : rows) {
    for (Witness& one : witnesses_) one.shown |= one.id == row.id;
    if (!row.start || !settings_.dialect->session_is_final(row.status)) continue;
    // The newest stay in the window for longest.
    next_witnesses_.push_back({row.digest, row.id, row.start->instant, false});
    std::ranges::push_heap(next_witnesses_, is_older);
    if (next_witnesses_.size() <= kWitnesses) continue;
    std::ranges::pop_heap(next_witnesses_, is_older);
    next_witnesses_.pop_back();
  }
}

// ---- Sweeps

bool SessionFinder::is_sweep_due() const {
  const SourceState& source = table_.source();
  const bool has_window = !settings_.dialect->sessions.from.empty();
  if (!sweeps_ || !has_window || !source.line || stopping_) return false;
  if (sweep_) return true;
  const Watched now = watched_now(), interval = settings_.poll.sweep_interval;
  if (given_up_ > 0 && swept_at_) {
    const Watched wait = kSweepsAgain * (1u << std::min(given_up_ - 1, kMostDoublings));
    return now - *swept_at_ >= std::min(wait, interval / 24);
  }
  if (source.sweep_place) return true;
  const bool may_come_early = !swept_at_ || now - *swept_at_ >= interval / (source.contact_over ? 4 : 24);
  const std::optional<Watched> last = source.sweeps.back();
  return may_come_early && (odd_ || !last || !source.contact_over || now - *last >= interval);
}

void SessionFinder::begin_sweep() {
  swept_rows_ = 0;
  odd_ = false;
  sweep_failures_ = 0;
  witnesses_.clear();
  discovery_.learn_pages_anew();
  found_.sweep_begins();
  table_.begin_sweep();
}

Task<void> SessionFinder::sweep(SteadyTime until) {
  // What it has shown so far was shown before it was asked for again.
  if (swept_again_ != again_) {
    sweep_.reset();
    table_.source().sweep_place.reset();
    swept_again_ = again_;
  }
  if (!sweep_) {
    std::optional<Instant> from = table_.source().sweep_place;
    sweep_was_resumed_ = from.has_value();
    if (from) from->seconds -= kOverlapOfSlices;
    sweep_.emplace(discovery_.sweep(from, most_rows_of_a_walk()));
    begin_sweep();
  }
  const unsigned again = again_;
  const std::optional<Instant> place_before = table_.source().sweep_place;
  // One round leaves no walk behind: until a slice of it is over, the next one would begin where this one did.
  const auto is_in_vain = [&] { return rounds_ == Rounds::kOnce && table_.source().sweep_place == place_before; };
  while (SteadyClock::now() < until || is_in_vain()) {
    if (!co_await found_.room_to_sweep() || again != again_) co_return;
    const Result<SessionPage> page =
        co_await discovery_.next_page(*sweep_, Discovery::Of::kWindow, Discovery::kShareOfSweeps);
    if (again != again_ || stopping_) co_return;
    if (page.has_error()) {
      if (++sweep_failures_ == kMostFailures) give_up_sweep(page.error().detail);
      co_return;
    }
    sweep_failures_ = 0;
    Showing how = showing();
    how.inquiry = ++inquiries_;
    how.by_sweep = true;
    how.late = table_.source().contact_over && rounds_ == Rounds::kForever && !listed_again_from_;
    found_.take_in(page->sessions, how);
    swept_rows_ += page->rows.size();
    if (sweep_->ended()) {
      const ListingWalk walk = *std::exchange(sweep_, std::nullopt);
      end_sweep(walk, sweep_was_resumed_);
      co_return;
    }
    // All that was shown of the slices before is in batches before this one.
    if (sweep_->place() && sweep_->place() != table_.source().sweep_place) {
      table_.source().sweep_place = sweep_->place();
      commit_source();
    }
  }
}

// What a restart cut off goes on in slices, so that the next restart finds a place. In one round the slices are so
// short that one is shown to its end within it: the next round goes on behind.
std::size_t SessionFinder::most_rows_of_a_walk() const {
  if (rounds_ == Rounds::kForever)
    return table_.source().sweep_place ? ListingWalk::kMostRows : ListingWalk::kMostRowsOfASweep;
  const double pages = kSecondsOfASlice * Discovery::kShareOfSweeps * settings_.poll.rate_per_second;
  return static_cast<std::size_t>(std::max(pages, 2.0) * static_cast<double>(discovery_.longest_page()));
}

// One page cannot be had: most often that passes, and the next sweep begins soon. What was shown until then says
// nothing of what there is.
void SessionFinder::give_up_sweep(const std::string& why) {
  sweep_.reset();
  ++given_up_;
  swept_at_ = watched_now();
  say_swept(swept_rows_, why);
  commit_source();
}

// How many were faulty in a row is durable: a restart must not make a source well that is not. One that was walked to
// its end and showed nothing is a fault at once.
void SessionFinder::say_swept(std::size_t rows, std::string_view missing) {
  std::uint8_t& faulty = table_.source().faulty_sweeps;
  const bool shows_none = missing.empty() && rows == 0 && table_.done() > 0;
  const bool is_faulty = shows_none || !missing.empty();
  const unsigned in_a_row = is_faulty ? faulty + 1u : 0u;
  const unsigned least = shows_none ? SourceHealth::kFaultySweeps : 0u;
  faulty = static_cast<std::uint8_t>(std::clamp(in_a_row, least, 255u));
  health_.swept(rows, table_.done(), missing, faulty);
}

void SessionFinder::end_sweep(const ListingWalk& walk, bool was_resumed) {
  SourceState& source = table_.source();
  swept_at_ = watched_now();
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
  commit_source();
}

}  // namespace sessionlogd
