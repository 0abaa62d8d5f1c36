#include "core/source_poller.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/body_hash.h"
#include "core/json_text.h"
#include "core/log_line.h"
#include "core/task.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kClockHolds{5};
constexpr unsigned kTriesInOnePass = 4;
constexpr std::chrono::milliseconds kLogOutTimeout{1'500};
constexpr std::chrono::milliseconds kLongestSpread{2'000};
constexpr std::chrono::hours kPaceOfTheOld{1};
constexpr std::string_view kGivenAway = "its id was given to another session";
constexpr int kDriftOfPace = 8;  // a quiet session is polled up to an eighth of its pace early, a listing likewise
constexpr std::chrono::hours kForgottenAfter{30 * 24};

// How long ago the last of a session was, or its start; zero when neither is known.
std::chrono::seconds without_news_for(const SessionState& session, Instant now) {
  const Instant news = done_mark(session).latest;
  return news == kNever ? std::chrono::seconds{0} : std::chrono::seconds{now.seconds - news.seconds};
}

Instant back(Instant at, std::chrono::milliseconds span) {
  return add_nanoseconds(at, -std::chrono::nanoseconds(span).count()).value_or(at);
}

void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

}  // namespace

SourcePoller::SourcePoller(Parts parts, RestoredSource&& restored)
    : services_(parts.services),
      settings_(parts.settings),
      mode_(parts.mode),
      format_{.source_id = settings_.id,
              .dialect = settings_.dialect.get(),
              .zone = ZoneRules(settings_.time_zone),
              .keep_original = settings_.keep_original,
              .only_final = settings_.poll.changes == Changes::kFinal,
              .encoder = &parts.encoder},
      api_(services_.io, services_.http, settings_, services_.random,
           {.held_back = mode_ == PollMode::kOnePass ? HeldBack::kFails : HeldBack::kWaits,
            .accounts = services_.accounts}),
      discovery_(api_, settings_,
                 [this](std::string_view session, std::string_view expected, std::string_view body) {
                   count_not_json(session, expected, body);
                 }),
      health_(settings_, api_),
      table_(settings_, std::move(restored)),
      changed_(services_.io),
      relist_(services_.io),
      counters_of_(std::move(parts.counters)),
      counters_(*counters_of_),
      identity_(std::make_shared<const SourceIdentity>(SourceIdentity::of(settings_))) {
  counters_.sessions = counters_.read = 0;
  counters_.listed = counters_.failing = false;
  for (const Schedule::Slot slot : table_.slots()) schedule_first(slot);
}

Task<void> SourcePoller::run(std::chrono::milliseconds delay) {
  co_await changed_.wait_until(SteadyClock::now() + delay);
  discovering_ = true;
  spawn(services_.io, discover());
  co_await dispatch();
  while (polling_ > 0 || discovering_) co_await changed_.wait();
  api_.stop();
  co_await api_.log_out(kLogOutTimeout);
}

void SourcePoller::stop() {
  stopping_ = true;
  api_.stop();
  changed_.notify();
  relist_.notify();
}

Instant SourcePoller::backfill(Instant since) {
  const Instant marked_since = std::min(table_.source().floor, forgotten_before());
  if (!table_.source().listed_to) {  // the first listing is still to come, and must not begin later for this
    const std::optional<Instant> first = window_start();
    if (!first) return marked_since;
    since = std::min(since, *first);
  }
  ++backfills_;
  std::vector<StateRecord> records;
  table_.lower_floor(since, records);
  push(std::move(records));
  relist_.notify();
  return marked_since;
}

// What is older the source has forgotten itself, so that it cannot bring it up again.
Instant SourcePoller::forgotten_before() const { return back(api_.now(), settings_.poll.retention); }

// ---- Which sessions there are

Task<void> SourcePoller::discover() {
  Backoff backoff;
  while (co_await room_to_read()) {
    const unsigned backfills = backfills_;
    const Result<void> listed = co_await discover_once();
    if (stopping_) break;
    health_.listed(listed);
    if (listed.has_value()) {
      listed_at_ = SteadyClock::now();
      counters_.listed = true;
      note_first_contact();
    }
    counters_.failing = listed.has_error() || left_unread_;
    if (listed.has_value()) backoff.succeeded();
    // Sources that began together, or went on together after a pause, would list in step for ever.
    const auto interval = settings_.poll.discovery_interval;
    const auto wait =
        listed.has_value() ? interval - spread(interval / kDriftOfPace) : backoff.failed(services_.random());
    if (mode_ == PollMode::kOnePass && (listed.has_value() || backoff.failures() == kTriesInOnePass)) break;
    changed_.notify();
    const SteadyTime next = SteadyClock::now() + wait;
    while (!stopping_ && backfills == backfills_ && SteadyClock::now() < next) co_await relist_.wait_until(next);
  }
  discovering_ = false;
  changed_.notify();
}

Task<Result<void>> SourcePoller::discover_once() {
  if (!settings_.sessions.empty()) {
    std::vector<std::string> ids = settings_.sessions;
    co_return co_await ask_for_each(std::move(ids));
  }
  const unsigned backfills = backfills_;
  const std::uint32_t inquiry = ++inquiries_;
  std::optional<Instant> from;
  Result<Listing> listing;
  bool clock_held = false;
  for (int tries = 0; tries < 2 && !clock_held; ++tries) {
    const std::chrono::seconds offset = api_.clock_offset();
    from = window_start();
    listing = co_await discovery_.list(from);
    if (listing.has_error()) co_return listing.error();
    // The first answers teach us the appliance's clock; a window that was reckoned by another proves nothing.
    clock_held = std::chrono::abs(api_.clock_offset() - offset) <= kClockHolds;
  }
  health_.unusable(listing->unusable);
  health_.incomplete(listing->missing);

  std::vector<std::string> unseen = table_.open_but_not_in(listing->sessions);
  take_in(listing->sessions, inquiry);
  if (!unseen.empty()) {
    const Result<void> asked = co_await ask_for_each(std::move(unseen));
    if (asked.has_error()) co_return asked.error();
  }
  if (!listing->missing.empty() || !clock_held || backfills != backfills_) co_return Result<void>();
  // From here on the next listing may begin later: all that this one showed is in batches before this one.
  std::vector<StateRecord> records;
  if (from) table_.raise_floor(*from, forgotten_before(), records);
  table_.source().listed_to = listing->sent;  // may be earlier than before: its clock was set back
  records.push_back({0, StateRecord::kSourcePart, encode_source(table_.source())});
  push(std::move(records));
  co_return Result<void>();
}

std::optional<Instant> SourcePoller::window_start() const {
  const SourceState& source = table_.source();
  if (source.listed_to) return back(*source.listed_to, settings_.poll.overlap);
  if (settings_.poll.lookback) return back(api_.now(), *settings_.poll.lookback);
  return std::nullopt;
}

// One that cannot be had now is asked for again with the next listing; one that is gone shows in its polls.
Task<Result<void>> SourcePoller::ask_for_each(std::vector<std::string> ids) {
  const std::uint32_t inquiry = ++inquiries_;
  std::vector<ListedSession> found;
  for (const std::string& id : ids) {
    Result<ListedSession> asked = co_await discovery_.ask(id);
    if (asked.has_value()) {
      found.push_back(std::move(*asked));
    } else if (asked.error().http_status == 0) {
      co_return asked.error();
    }
  }
  take_in(found, inquiry);
  co_return Result<void>();
}

void SourcePoller::take_in(const std::vector<ListedSession>& listed, std::uint32_t inquiry) {
  std::vector<StateRecord> records;
  for (const ListedSession& row : listed) {
    if (!is_wanted(settings_, row)) continue;
    const SessionTable::TakenIn taken = table_.take_in(row, records);
    // What it was before cannot be read any more: its id answers for another session.
    if (taken.replaced && !table_.at(*taken.replaced).in_flight) give_up(*taken.replaced, kGivenAway);
    if (taken.as == SessionTable::TakenIn::As::kNew) schedule_first(taken.slot);
    if (taken.as == SessionTable::TakenIn::As::kIgnored) continue;
    Session& session = table_.at(taken.slot);
    if (taken.as != SessionTable::TakenIn::As::kKnown) {
      log_debug({.source = settings_.name, .session = row.id}, "is listed as {}{}", row.status,
                taken.as == SessionTable::TakenIn::As::kNew ? ", not known so far" : ", known");
    }
    const bool vouched = session.is_strange() && *session.trouble->strange_since < inquiry;
    if (vouched) {
      session.trouble->strange_since.reset();
      session.trouble->vouched_for = true;
    }
    // What just became final, or is the same session after all, is read right away.
    if ((vouched || taken.as == SessionTable::TakenIn::As::kFinished) && !session.in_flight)
      schedule(taken.slot, std::chrono::milliseconds{0}, PollOrder::Urgency::kExpected);
  }
  push(std::move(records));
  changed_.notify();
}

// ---- When each is polled

Task<void> SourcePoller::dispatch() {
  while (!stopping_) {
    if (services_.queue.full()) {
      co_await services_.room.wait_until(SteadyClock::now() + std::chrono::seconds{1});
      continue;
    }
    if (has_connection()) {
      if (const auto slot = take_due()) {
        ++polling_;
        spawn(services_.io, poll(*slot));
        continue;
      }
    }
    if (!has_work()) break;
    const SteadyTime next = schedule_.next_due().value_or(SteadyTime::max());
    dispatch_sleeps_until_ = has_connection() ? next : SteadyTime::min();
    co_await changed_.wait_until(has_connection() ? next : SteadyTime::max());
  }
}

std::optional<Schedule::Slot> SourcePoller::take_due() {
  if (stopping_ || services_.queue.full()) return std::nullopt;
  const SteadyTime now = SteadyClock::now();
  const auto due = schedule_.take_due(now);
  if (!due) return std::nullopt;
  services_.metrics.poll_lateness_seconds.observe(now - due->since);
  table_.at(due->slot).in_flight = true;
  return due->slot;
}

bool SourcePoller::has_work() const {
  if (mode_ == PollMode::kForever) return true;
  return discovering_ || polling_ > 0 || schedule_.size() > 0;
}

void SourcePoller::note_first_contact() {
  if (counters_.listed && counters_.read >= counters_.sessions)
    health_.first_contact(counters_.sessions, counters_.entries);
}

// Polls `first`, and then on the same connection what is due by then.
Task<void> SourcePoller::poll(Schedule::Slot first) {
  for (std::optional<Schedule::Slot> next = first; next; next = take_due()) {
    const Schedule::Slot slot = *next;
    const SteadyTime began = SteadyClock::now();
    const Instant sent = api_.now();
    std::string target = path_of_session(settings_.dialect->log.path, table_.at(slot).state.info.id());
    Result<HttpAnswer> answer = co_await api_.get(std::move(target));
    Polled polled = Polled::kMoreToCome;
    while (polled == Polled::kMoreToCome) {
      // What the queue has no room for stays in the body.
      const bool must_wait = services_.queue.full() || stopping_;
      if (answer.has_value() && must_wait && !co_await room_to_read()) break;
      // From here on nothing suspends: that much of the answer is read, pushed and remembered in one step.
      polled = take_answer(slot, answer, sent);
    }
    if (polled == Polled::kStrange) {
      std::vector<std::string> ids{std::string(table_.at(slot).state.info.id())};
      (void)co_await ask_for_each(std::move(ids));
    }
    services_.metrics.poll_seconds.observe(SteadyClock::now() - began);
    if (polling_ == 1) note_first_contact();
  }
  const bool was_waited_for = !has_connection() || stopping_ || mode_ == PollMode::kOnePass;
  --polling_;
  if (was_waited_for) changed_.notify();
}

SourcePoller::Polled SourcePoller::take_answer(Schedule::Slot slot, const Result<HttpAnswer>& answer, Instant sent) {
  table_.at(slot).in_flight = false;
  Polled polled = Polled::kAll;
  if (answer.has_value()) {
    polled = finish_poll(slot, *answer, sent);
  } else if (const Error error = answer.error(); error.kind != ErrorKind::kCancelled) {
    poll_failed(slot, error);
  }
  if (polled == Polled::kMoreToCome) {
    table_.at(slot).in_flight = true;
  } else if (table_.at(slot).replaced) {
    give_up(slot, kGivenAway);
    polled = Polled::kAll;
  }
  return polled;
}

// false: we are stopping.
Task<bool> SourcePoller::room_to_read() {
  while (!stopping_ && services_.queue.full())
    co_await services_.room.wait_until(SteadyClock::now() + std::chrono::seconds{1});
  co_return !stopping_;
}

SourcePoller::Polled SourcePoller::finish_poll(Schedule::Slot slot, const HttpAnswer& answer, Instant sent) {
  Session& session = table_.at(slot);
  const std::uint64_t hash = hash_body(answer.body.text());
  // What was on its way when its id was given away may still be its own.
  const bool last = session.replaced || session.life.is_last(sent, settings_.poll.settle);
  if (hash == session.body_hash && !last) {
    bump(counters_.polls_unchanged);
    bump(counters_.entries, session.entries);
    read_was(slot, sent, Pace::News::kUnchanged);
    return Polled::kAll;
  }
  const bool vouched_for = session.trouble && session.trouble->vouched_for;
  const Strange strange = session.replaced                             ? Strange::kOnlyOwn
                          : vouched_for || mode_ == PollMode::kOnePass ? Strange::kTake
                                                                       : Strange::kLeave;
  const Result<ReadOutcome> read = services_.reader.read(format_, session.state, answer.body, last, strange);
  const bool broken = read.has_error() ? read.error().kind == ErrorKind::kBadAnswer : !read->fault.empty();
  if (broken && !is_json(answer.body.text())) count_not_json(session.state.info.id(), "its log", answer.body.text());
  if (read.has_error()) {
    poll_failed(slot, read.error());
    return Polled::kAll;
  }

  if (read->strange) {
    read_was_strange(slot);
    return Polled::kStrange;
  }
  count_events(*read);
  count_not_utf8(slot, read->not_utf8);
  if (read->more) return Polled::kMoreToCome;
  bump(counters_.entries, read->entries);
  bump(read->events_new + read->events_error > 0 ? counters_.polls_new
       : read->events_changed > 0                ? counters_.polls_changed
                                                 : counters_.polls_unchanged);
  if (!read->fault.empty()) {
    poll_failed(slot, Error(ErrorKind::kBadAnswer, read->fault));
    return Polled::kAll;
  }
  session.body_hash = hash;
  session.entries = static_cast<std::uint32_t>(read->entries);
  read_was(slot, sent, read->events() > 0 ? Pace::News::kChanged : Pace::News::kUnchanged);
  return Polled::kAll;
}

void SourcePoller::count_events(const ReadOutcome& read) {
  if (read.events() == 0) return;
  bump(counters_.events_new, read.events_new);
  bump(counters_.events_changed, read.events_changed);
  bump(counters_.events_error, read.events_error);
  uncommitted_.pushed(services_.queue.pushed(), SteadyClock::now());
}

void SourcePoller::count_not_json(std::string_view session, std::string_view expected, std::string_view body) {
  bump(counters_.not_json);
  if (services_.quarantine == nullptr) return;
  services_.quarantine->keep({settings_.name, session, expected}, body,
                             [this](std::string_view kept) { return api_.echoes_secret(kept); });
}

void SourcePoller::count_not_utf8(Schedule::Slot slot, std::size_t events) {
  if (events == 0) return;
  bump(counters_.not_utf8, events);
  health_.not_utf8(table_.at(slot).state.info.id());
}

// They may be another session's, to which its id was given. The source is asked at once; if it does not say, the next
// listing does.
void SourcePoller::read_was_strange(Schedule::Slot slot) {
  Session& session = table_.at(slot);
  bump(counters_.polls_failed);
  if (!session.is_strange()) {
    log_debug({.source = settings_.name, .session = session.state.info.id()},
              "has a log that seems to be of another session; the source is asked "
              "whether its id was given to another session");
  }
  session.in_trouble().strange_since = inquiries_;
  schedule(slot, settings_.poll.discovery_interval, PollOrder::Urgency::kQuiet);
}

// The session's log was read to its end.
void SourcePoller::read_was(Schedule::Slot slot, Instant sent, Pace::News news) {
  Session& session = table_.at(slot);
  if (!session.read) bump(counters_.read);
  if (news == Pace::News::kChanged) session.life.brought_news(sent, session.state.latest, settings_.poll.settle);
  session.read = true;
  session.trouble.reset();
  read_at_ = SteadyClock::now();
  health_.read();
  const auto& poll = settings_.poll;
  const auto next = session.life.after_read(sent, poll.settle, poll.interval);
  if (next.step == SessionLife::Next::Step::kDone) return finish(slot);
  table_.enter(slot, session.life.final() ? Phase::kSettling : Phase::kOpen);
  const bool by_pace = next.step == SessionLife::Next::Step::kByPace;
  // In one pass a session is read again only if its final state was seen after this read was sent.
  if (mode_ == PollMode::kOnePass && (by_pace || next.wait.count() > 0)) return;
  if (by_pace && without_news_for(session.state, api_.now()) > kForgottenAfter) return finish(slot);
  const auto pace = session.pace.after(news, poll.interval, slowest_pace(session));
  if (by_pace && news == Pace::News::kChanged) return schedule(slot, pace, PollOrder::Urgency::kExpected);
  // Those that were polled together, after a pause, say, would be so for ever.
  const auto drifted = std::max(poll.interval, pace - spread(pace / kDriftOfPace));
  schedule(slot, by_pace ? drifted : next.wait, PollOrder::Urgency::kQuiet);
}

// A session that never ends is not worth the pace of one that grows.
std::chrono::milliseconds SourcePoller::slowest_pace(Session& session) {
  const auto& poll = settings_.poll;
  const Instant now = api_.now();
  const Instant start = session.state.info.view().start.value_or(now);
  if (now.seconds - start.seconds <= std::chrono::ceil<std::chrono::seconds>(poll.max_session_age).count())
    return poll.max_interval;
  if (!std::exchange(session.said_old, true)) {
    log_warn({.source = settings_.name, .session = session.state.info.id()},
             "still runs after max_session_age; it is polled once an hour while nothing comes of it");
  }
  return std::max<std::chrono::milliseconds>(poll.max_interval, kPaceOfTheOld);
}

void SourcePoller::poll_failed(Schedule::Slot slot, const Error& error) {
  Session& session = table_.at(slot);
  bump(counters_.polls_failed);
  ReadTrouble& trouble = session.in_trouble();
  const auto wait = trouble.backoff.failed(services_.random());
  if (trouble.backoff.failures() == 1) {
    log_debug({.source = settings_.name, .session = session.state.info.id()}, "poll failed: {}", error.detail);
  }
  if (mode_ == PollMode::kOnePass && trouble.backoff.failures() >= kTriesInOnePass) {
    log_error({.source = settings_.name, .session = session.state.info.id()}, "could not be read: {}", error.detail);
    left_unread_ = true;
    counters_.failing = true;
    return;
  }
  health_.refused(session.state.key, error);
  if (!may_be_lost(session, error)) {
    trouble.lost.cleared();
  } else {
    trouble.lost.failed(SteadyClock::now());
    if (trouble.lost.given_up(error.http_status == 404 ? listed_at_ : read_at_)) return give_up(slot, error.detail);
  }
  schedule(slot, wait, PollOrder::Urgency::kQuiet);
}

// A 404 means that the session is gone only when the listing works and does not show it. What is finished does not get
// better either.
bool SourcePoller::may_be_lost(const Session& session, const Error& error) const {
  if (error.http_status == 404) return health_.lists() && !session.shown;
  return session.life.final() && (error.kind == ErrorKind::kBadAnswer || error.kind == ErrorKind::kRefused);
}

// What was not read of it never will be: that is said in the output, where it is missing.
void SourcePoller::give_up(Schedule::Slot slot, std::string_view why) {
  Session& session = table_.at(slot);
  if (session.replaced && session.life.final() && session.read) {
    log_info({.source = settings_.name, .session = session.state.info.id()}, "ends here: {}", why);
    return finish(slot);
  }
  log_error({.source = settings_.name, .session = session.state.info.id()},
            "could not be read to its end and is given up: {}", why);
  services_.reader.gap(format_, session.state, why);
  bump(counters_.events_gap);
  uncommitted_.pushed(services_.queue.pushed(), SteadyClock::now());
  finish(slot);
}

void SourcePoller::finish(Schedule::Slot slot) {
  schedule_.cancel(slot);
  log_debug({.source = settings_.name, .session = table_.at(slot).state.info.id()}, "is done");
  std::vector<StateRecord> records;
  table_.finish(slot, records);
  push(std::move(records));
}

void SourcePoller::schedule(Schedule::Slot slot, std::chrono::milliseconds wait, PollOrder::Urgency urgency) {
  const SteadyTime due = SteadyClock::now() + wait;
  schedule_.set(slot, due, urgency);
  if (due < dispatch_sleeps_until_) changed_.notify();
}

void SourcePoller::schedule_first(Schedule::Slot slot) {
  bump(counters_.sessions);
  const auto most =
      mode_ == PollMode::kOnePass ? std::chrono::milliseconds{0} : std::min(settings_.poll.interval, kLongestSpread);
  const bool over = table_.at(slot).life.final();
  schedule(slot, spread(most), over ? PollOrder::Urgency::kQuiet : PollOrder::Urgency::kExpected);
}

std::chrono::milliseconds SourcePoller::spread(std::chrono::milliseconds most) {
  return std::chrono::milliseconds{services_.random() % static_cast<std::uint64_t>(most.count() + 1)};
}

Batch SourcePoller::new_batch() const {
  Batch batch;
  batch.source_id = settings_.id;
  batch.read_at = SteadyClock::now();
  return batch;
}

void SourcePoller::push(std::vector<StateRecord> records) {
  if (records.empty()) return;
  Batch batch = new_batch();
  batch.records = std::move(records);
  services_.queue.push(std::move(batch));
}

}  // namespace sessionlogd
