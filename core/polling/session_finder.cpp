#include "core/polling/session_finder.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/api/admission.h"
#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kClockHolds{5};
constexpr unsigned kTriesInOneRound = 4;
constexpr std::chrono::seconds kLongListing{60};
constexpr std::chrono::hours kLongestListingOfOnePass{1};
constexpr int kLongWithoutSuccess = 10;  // times max_interval, as for logs
constexpr int kDriftOfListing = 8;       // a listing begins up to an eighth of its interval early
constexpr std::chrono::seconds kLongestSweepOfOneRound{60};
constexpr std::chrono::hours kLookBack{24}, kLooksBackEvery{1};
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
      discovery_(
          api_, settings_,
          [this] {
            hear_the_clocks();
            return watched_now();
          },
          std::move(parts.bad_body)),
      watched_(table_.source().watched, SteadyClock::now()),
      sweeper_({.settings = settings_,
                .table = table_,
                .health = health_,
                .found = found_,
                .discovery = discovery_,
                .sweeps = parts.sweeps && settings_.sessions.empty(),
                .in_one_round = rounds_ == Rounds::kOnce,
                .now = [this] { return watched_now(); },
                .inquire = [this] { return showing_of_sweep(); },
                .commit = [this] { commit_source(); }}),
      wake_(io_) {}

void SessionFinder::stop() {
  stopping_ = true;
  sweeper_.stop();
  wake_.notify();
}

void SessionFinder::list_again(Instant since) {
  ++again_;
  listed_again_from_ = std::min(listed_again_from_.value_or(since), since);
  sweeper_.begin_anew();
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

Showing SessionFinder::showing_of_sweep() {
  Showing how = showing();
  how.inquiry = ++inquiries_;
  how.by_sweep = true;
  how.late = table_.source().contact_over && rounds_ == Rounds::kForever && !listed_again_from_;
  return how;
}

Task<void> SessionFinder::run() {
  Backoff backoff;
  while (co_await found_.room_to_list()) {
    const Result<void> listed = co_await list_once();
    if (stopping_) break;
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
      if (sweeper_.is_due()) co_await sweeper_.sweep(SteadyClock::now() + kLongestSweepOfOneRound);
      if (sweeper_.is_under_way())
        log_info({.source = settings_.name}, "was not swept to its end; the next pass goes on");
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
  if (sweeper_.is_due()) co_await sweeper_.sweep(next);
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
  pace_.listing_begins(began_there);
  // They are few, and what is read of them cannot wait for a long window.
  if (discovery_.can_list_running()) {
    ListingWalk running = discovery_.walk({});
    const Result<void> read = co_await read_walk(running, Discovery::Of::kRunning, how);
    if (read.has_error()) co_return read;
  }
  std::string missing;
  std::optional<Instant> window;
  bool clock_held = false, is_all = false;
  Instant began = system_now();
  for (int tries = 0; tries < 2 && !clock_held; ++tries) {
    const std::chrono::seconds offset = api_.clock_offset();
    began = system_now();
    window = window_start();
    // A listing without a window is a sweep.
    is_all = sweeper_.sweeps() && (!window || settings_.dialect->sessions.from.empty());
    how.by_sweep = is_all;
    if (is_all) sweeper_.begin();
    ListingWalk walk = is_all ? discovery_.sweep(std::nullopt, ListingWalk::kMostRowsOfASweep)
                              : discovery_.walk({window, std::nullopt});
    const Result<void> read = co_await read_walk(walk, Discovery::Of::kWindow, how);
    if (read.has_error()) co_return read;
    missing = walk.missing();
    if (is_all) sweeper_.end(walk, false);
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
  sweeper_.listed(window, api_.clock_offset(), missing.empty());
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
  if (of == Discovery::Of::kWindow) sweeper_.listing_begins();
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
    if (of == Discovery::Of::kWindow) sweeper_.listing_shows(page->sessions);
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

}  // namespace sessionlogd
