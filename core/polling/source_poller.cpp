#include "core/polling/source_poller.h"

#include <algorithm>
#include <utility>

#include "core/async/task.h"
#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::hours kPaceOfTheOld{1};
constexpr int kDriftOfPace = 8;  // one that waits as long as it may is polled up to an eighth of that early
// Of sessions that were found and not read yet: a listing that goes on for ever would fill the memory with them.
constexpr std::size_t kMostWaitingBytes = 32u << 20;
constexpr std::chrono::seconds kLooksForRoom{1};
constexpr std::size_t kRecordsPerBatch = 4'096;

// One pass leaves no time for it, and without a state there is nothing to compare with.
std::chrono::milliseconds verify_interval(const ShardServices& services, PollMode mode) {
  const bool verifies = services.keeps_state && mode == PollMode::kForever;
  return verifies ? services.verify : std::chrono::milliseconds{0};
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
              .encoder = &parts.encoder,
              .queue = &services_.queue},
      // Its client may outlive the queue by a logout.
      owned_api_(std::make_unique<ApiClient>(
          services_.io, services_.http, settings_, services_.random,
          Manners{.held_back = mode_ == PollMode::kOnePass ? HeldBack::kFails : HeldBack::kWaits,
                  .accounts = services_.accounts,
                  .must_wait = [&queue = services_.queue, &memory = services_.queue.memory()](
                                   bool to_log_out) { return memory.is_quiet() || (!to_log_out && queue.rests()); }})),
      api_(*owned_api_),
      health_(settings_, api_),
      reads_(settings_.poll.max_interval, settings_.poll.timeout),
      table_(settings_, std::move(restored), system_now()),
      pace_(settings_.poll, SteadyClock::now()),
      finder_({.io = services_.io,
               .settings = settings_,
               .api = api_,
               .table = table_,
               .health = health_,
               .found = *this,
               .pace = pace_,
               .random = services_.random,
               .rounds = mode_ == PollMode::kOnePass ? SessionFinder::Rounds::kOnce : SessionFinder::Rounds::kForever,
               .sweeps = services_.keeps_state,
               .bad_body = [this](std::string_view session, std::string_view expected,
                                  std::string_view body) { count_not_json(session, expected, body); }}),
      verifier_({.io = services_.io,
                 .settings = settings_,
                 .interval = verify_interval(services_, mode_),
                 .api = api_,
                 .table = table_,
                 .finder = finder_,
                 .reader = services_.reader,
                 .format = format_,
                 .health = health_,
                 .sessions = *this}),
      changed_(services_.io),
      counters_of_(std::move(parts.counters)),
      counters_(*counters_of_),
      standing_({.settings = settings_,
                 .counters = counters_,
                 .api = api_,
                 .health = health_,
                 .reads = reads_,
                 .table = table_,
                 .finder = finder_,
                 .pace = pace_,
                 .schedule = schedule_,
                 .uncommitted = uncommitted_,
                 .queue = services_.queue}) {
  if (table_.source().line) health_.had_contact();
  counters_.sessions = counters_.read = 0;
  counters_.listed = counters_.failing = false;
  for (const Schedule::Slot slot : table_.slots()) {
    if (table_.at(slot).is_late() && mode_ == PollMode::kForever) {
      schedule_late(slot, LateNews::Kind::kNeverShown);
    } else {
      schedule_first(slot);
    }
  }
}

Task<void> SourcePoller::run(std::chrono::milliseconds delay) {
  co_await changed_.wait_until(SteadyClock::now() + delay);
  finding_ = verifying_ = true;
  spawn(services_.io, find_sessions());
  spawn(services_.io, verify_sessions());
  co_await dispatch();
  while (polling_ > 0 || finding_ || verifying_) co_await changed_.wait();
  api_.stop();
}

Task<void> SourcePoller::find_sessions() {
  co_await finder_.run();
  finding_ = false;
  changed_.notify();
}

Task<void> SourcePoller::verify_sessions() {
  co_await verifier_.run();
  verifying_ = false;
  changed_.notify();
}

void SourcePoller::stop() {
  stopping_ = true;
  api_.stop();
  finder_.stop();
  verifier_.stop();
  changed_.notify();
}

std::size_t SourcePoller::backfill(Instant since, bool again) {
  std::vector<StateRecord> records;
  const std::size_t forgotten = table_.forget_left_alone(since, again, records);
  push(std::move(records));
  finder_.list_again(since);
  return forgotten;
}

std::size_t SourcePoller::leave_alone(Instant before) {
  std::vector<StateRecord> records;
  std::size_t left = 0;
  for (const Schedule::Slot slot : table_.slots()) {
    const Session& session = table_.at(slot);
    const std::optional<Instant> start = session.state.info.view().start;
    if (!session.is_late() || session.in_flight || !start || *start >= before) continue;
    table_.leave_alone(slot, system_now(), records);
    ++left;
  }
  push(std::move(records));
  return left;
}

void SourcePoller::look() {
  judge_reads();
  finder_.look(services_.queue.full());
  health_.look_at_starts(SteadyClock::now());
  const auto wait = api_.waits();
  health_.waits(
      wait ? std::optional(wait->what) : std::nullopt,
      wait ? std::chrono::ceil<std::chrono::seconds>(wait->until - SteadyClock::now()) : std::chrono::seconds{0});
}

void SourcePoller::judge_reads() {
  const auto judged = services_.queue.full() ? ReadSuccess::Judged::kNotNow : ReadSuccess::Judged::kYes;
  const std::size_t due = schedule_.size() + polling_;
  health_.judged(reads_.judge(judged, due, SteadyClock::now()), due, reads_.last_failure());
  counters_.failing = fails();
}

bool SourcePoller::fails() const {
  return !health_.lists() || left_unread_ > 0 || !health_.gives_logs() || !health_.has_named();
}

SourceView SourcePoller::view() {
  look();
  return standing_.view(read_at_);
}

// ---- Which sessions there are

void SourcePoller::listed(const Result<void>& how, SourceHealth::Tries tries) {
  health_.listed(how, tries);
  if (how.has_value()) {
    counters_.listed = true;
    note_first_contact();
  }
  counters_.failing = fails();
  changed_.notify();
}

Task<bool> SourcePoller::room_to_list() {
  // What only waits because it is late must not keep windows from being listed.
  const auto is_full = [this] {
    return services_.queue.full() || table_.waiting_bytes() >= (late_.size() > 0 ? 2 : 1) * kMostWaitingBytes;
  };
  while (!stopping_ && is_full()) co_await services_.room.wait_until(SteadyClock::now() + kLooksForRoom);
  co_return !stopping_;
}

Task<bool> SourcePoller::room_to_sweep() {
  while (!stopping_ && (services_.queue.full() || table_.waiting_bytes() >= kMostWaitingBytes))
    co_await services_.room.wait_until(SteadyClock::now() + kLooksForRoom);
  co_return !stopping_;
}

Task<void> SourcePoller::all_read() {
  while (!stopping_ && (schedule_.size() > 0 || polling_ > 0)) co_await changed_.wait();
}

void SourcePoller::take_in(const std::vector<ListedSession>& rows, const Showing& how) {
  std::vector<StateRecord> records;
  for (const ListedSession& row : rows) {
    const SessionTable::TakenIn taken = table_.take_in(row, how, records);
    if (taken.shift) say_shift(row.id, taken.shift);
    if (taken.as != SessionTable::TakenIn::As::kIgnored) taken_in(taken, how);
    if (taken.is_put_off) health_.starts_change(row.id, SteadyClock::now());
    if (how.by_id) end_others_of(row);
  }
  push(std::move(records));
  changed_.notify();
}

void SourcePoller::taken_in(const SessionTable::TakenIn& taken, const Showing& how) {
  using As = SessionTable::TakenIn::As;
  Session& session = table_.at(taken.slot);
  if (taken.as != As::kKnown) {
    log_debug({.source = settings_.name, .session = session.state.info.id()}, "is listed as {}{}",
              session.state.info.view().status, taken.as == As::kNew ? ", not known so far" : ", known");
  }
  if (taken.as == As::kNew && how.since && !taken.is_opened_again && !session.life.final()) {
    const std::optional<Instant> start = session.state.info.view().start;
    const auto ahead = start ? zone_.began(*start, *how.since, how.theirs) : std::nullopt;
    if (ahead) health_.other_zone(*ahead);
  }
  if (taken.as == As::kNew && how.late) {
    return schedule_late(taken.slot,
                         taken.is_opened_again ? LateNews::Kind::kOpenedAgain : LateNews::Kind::kNeverShown);
  }
  if (taken.as == As::kNew) {
    const std::optional<Instant> start = session.state.info.view().start;
    if (!taken.is_opened_again && start) pace_.began(*start);
    return schedule_first(taken.slot);
  }
  if (session.is_late() && !how.by_sweep) {
    session.state.late_since = SessionState::kNotYet;
    return schedule_first(taken.slot);
  }
  // Of several sessions that the id named, only what was asked for by it is the one that has its log.
  const bool vouched = !session.is_disputed() && session.is_strange() &&
                       *session.trouble->strange_since < how.inquiry && (how.by_id || !table_.has_others(taken.slot));
  if (vouched) session.trouble->vouch();
  // What changed, just became final, is the same session after all, or may not be, is read right away.
  const bool is_changed = taken.as == As::kChanged && !session.is_late();
  const bool is_expected = vouched || is_changed || taken.as == As::kFinished || taken.as == As::kDisputed;
  if (is_expected && !session.in_flight)
    schedule(taken.slot, std::chrono::milliseconds{0}, PollOrder::Urgency::kExpected);
}

// ---- What was done

// A session that fails, or a sweep that does, is no reason: the logs of others can be read.
std::string_view SourcePoller::busy_with() const {
  if (!health_.lists() || !finder_.listed_at()) return "the source could not be listed";
  if (api_.breaker_until()) return "every request to the source failed";
  const auto due = schedule_.next_due();
  if ((due && *due <= SteadyClock::now()) || late_.size() > 0) return "other sessions were due";
  if (services_.queue.full()) return "the queue was full";
  return has_connection() ? "" : "no connection was free";
}

void SourcePoller::verify_ends_read() {
  --polling_;
  changed_.notify();
}

bool SourcePoller::lacks(const ListedSession& row, std::size_t entries) {
  std::vector<StateRecord> records;
  Showing how = finder_.showing();
  how.ended_long_ago_counts = false;
  const SessionTable::TakenIn taken = table_.open_again(row, how, records);
  push(std::move(records));
  if (taken.as != SessionTable::TakenIn::As::kIgnored) taken_in(taken, how);
  const bool is_opened = taken.as == SessionTable::TakenIn::As::kNew && taken.is_opened_again;
  if (is_opened) counters_.add(Counted::kVerifyLate, entries);
  return is_opened;
}

// ---- When each is polled

Task<void> SourcePoller::dispatch() {
  while (!stopping_) {
    if (services_.queue.full()) {
      pace_.held_up(SteadyClock::now());
      co_await services_.room.wait_until(SteadyClock::now() + std::chrono::seconds{1});
      continue;
    }
    if (has_connection()) {
      auto slot = take_due();
      if (!slot) slot = take_late();
      if (slot) {
        ++polling_;
        spawn(services_.io, poll(*slot));
        continue;
      }
    }
    if (!has_work()) break;
    const SteadyTime next =
        std::min(schedule_.next_due().value_or(SteadyTime::max()), next_late().value_or(SteadyTime::max()));
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
  // Quiet ones wait for as long as they may: no price helps there.
  if (due->urgency == PollOrder::Urgency::kExpected) pace_.was_late(due->since, now);
  table_.at(due->slot).in_flight = true;
  reads_.asked(table_.at(due->slot).state.key, now);
  return due->slot;
}

std::optional<SteadyTime> SourcePoller::next_late() const {
  return late_.next([this](Watched at) { return finder_.watched_when(at); });
}

// After all that is due.
std::optional<Schedule::Slot> SourcePoller::take_late() {
  const SteadyTime now = SteadyClock::now();
  for (auto next = next_late(); next && *next <= now; next = next_late()) {
    const LateNews::Session taken = late_.take(now, settings_.poll.rate_per_second);
    if (!table_.is_open(taken.slot, taken.key)) continue;
    Session& session = table_.at(taken.slot);
    if (!session.is_late() || session.in_flight) continue;
    session.state.late_since = SessionState::kNotYet;
    session.in_flight = true;
    reads_.asked(taken.key, now);
    return taken.slot;
  }
  return std::nullopt;
}

bool SourcePoller::has_work() const {
  if (mode_ == PollMode::kForever) return true;
  return finding_ || polling_ > 0 || schedule_.size() > 0;
}

void SourcePoller::note_first_contact() {
  if (counters_.listed && counters_.read >= counters_.sessions)
    health_.first_contact(counters_.sessions, counters_.of(Counted::kEntries));
}

// Polls `first`, and then on the same connection what is due by then.
Task<void> SourcePoller::poll(Schedule::Slot first) {
  for (std::optional<Schedule::Slot> next = first; next; next = take_due()) {
    const Schedule::Slot slot = *next;
    const SteadyTime began = SteadyClock::now();
    std::string target = path_of_session(settings_.dialect->log.path, table_.at(slot).state.info.id());
    Result<HttpResponse> response = co_await api_.get(std::move(target));
    const Watched sent = finder_.watched_at(began);
    Polled polled = Polled::kMoreToCome;
    while (polled == Polled::kMoreToCome) {
      // What the queue has no room for stays in the body.
      const bool must_wait = services_.queue.full() || stopping_;
      if (response.has_value() && must_wait && !co_await room_to_read()) break;
      // From here on nothing suspends: that much of the response is read, pushed and remembered in one step.
      polled = take_response(slot, response, sent);
    }
    if (polled == Polled::kStrange) {
      const std::uint64_t key = table_.at(slot).state.key;
      std::string id(table_.at(slot).state.info.id());
      co_await finder_.ask_for(std::move(id));
      if (mode_ == PollMode::kOnePass && table_.is_open(slot, key)) vouch_for(slot);
    }
    services_.metrics.poll_seconds.observe(SteadyClock::now() - began);
    if (polling_ == 1) note_first_contact();
  }
  const bool was_waited_for = !has_connection() || stopping_ || mode_ == PollMode::kOnePass;
  --polling_;
  if (was_waited_for) changed_.notify();
}

SourcePoller::Polled SourcePoller::take_response(Schedule::Slot slot, const Result<HttpResponse>& response,
                                                 Watched sent) {
  table_.at(slot).in_flight = false;
  Polled polled = Polled::kAll;
  if (table_.at(slot).is_over()) {
    give_away(slot);
  } else if (response.has_value()) {
    polled = finish_poll(slot, *response, sent);
  } else if (const Error error = response.error(); error.kind != ErrorKind::kCancelled) {
    poll_failed(slot, error);
  }
  if (polled == Polled::kMoreToCome) table_.at(slot).in_flight = true;
  return polled;
}

// false: we are stopping.
Task<bool> SourcePoller::room_to_read() {
  while (!stopping_ && services_.queue.full())
    co_await services_.room.wait_until(SteadyClock::now() + std::chrono::seconds{1});
  co_return !stopping_;
}

// The session's log was read to its end.
void SourcePoller::read_was(Schedule::Slot slot, Watched sent, News news, LogFill fill) {
  Session& session = table_.at(slot);
  const bool is_first = !session.read;
  if (is_first) ++counters_.read;
  if (news == News::kChanged) session.life.brought_news(sent, settings_.poll.settle);
  session.read = true;
  if (!session.is_disputed()) session.trouble.reset();
  read_at_ = SteadyClock::now();
  reads_.read(session.state.key, *read_at_);
  if (!health_.gives_logs()) judge_reads();
  const auto& poll = settings_.poll;
  const auto next = session.life.after_read(sent, fill, poll.settle, pace_.usual());
  const NextRead again = next_read({.next = next,
                                    .disputed = session.is_disputed(),
                                    .was_done = session.trouble && session.trouble->was_done,
                                    .entries = session.entries,
                                    .without_news = without_news(session)},
                                   mode_);
  if (again == NextRead::kDone) return finish(slot, SessionTable::End::kRead);
  if (again == NextRead::kOfAnother) return part(slot);
  if (again == NextRead::kAtOnce) return schedule(slot, std::chrono::milliseconds{0}, PollOrder::Urgency::kExpected);
  std::vector<StateRecord> records;
  table_.enter(slot, session.life.final() ? Phase::kSettling : Phase::kOpen, records);
  table_.note_lacking(slot, records);
  push(std::move(records));
  if (again == NextRead::kNotInOnePass) return;
  if (again == NextRead::kAfterWait) return schedule(slot, next.wait, PollOrder::Urgency::kQuiet);
  const auto pace =
      pace_.after_read(session.pace, session.state.info.view().type, SteadyClock::now(), slowest_pace(session));
  // Those that were found together, or polled, after a pause, say, would be polled together for ever.
  const auto bound = std::max(pace, poll.max_interval);
  const auto wait = is_first                   ? std::min(bound, pace + spread(pace / 2))
                    : pace < poll.max_interval ? pace
                                               : std::max(poll.interval, pace - spread(pace / kDriftOfPace));
  schedule(slot, wait, news == News::kChanged ? PollOrder::Urgency::kExpected : PollOrder::Urgency::kQuiet);
}

// By watched time: no clock that steps makes a session old.
Watched SourcePoller::without_news(const Session& session) const {
  if (session.state.news_at == SessionState::kNotYet) return Watched{0};
  return finder_.watched_now() - Watched{std::int64_t{session.state.news_at}};
}

// A session that never ends is not worth the pace of one that grows.
std::chrono::milliseconds SourcePoller::slowest_pace(Session& session) {
  const auto& poll = settings_.poll;
  const Instant now = std::min(system_now(), api_.now());  // either may be far ahead
  const Instant start = session.state.info.view().start.value_or(now);
  if (now.seconds - start.seconds <= std::chrono::ceil<std::chrono::seconds>(poll.max_session_age).count())
    return poll.max_interval;
  if (!std::exchange(session.said_old, true)) {
    log_warn({.source = settings_.name, .session = session.state.info.id()},
             "still runs after max_session_age; it is polled once an hour while nothing comes of it");
  }
  return std::max<std::chrono::milliseconds>(poll.max_interval, kPaceOfTheOld);
}

void SourcePoller::finish(Schedule::Slot slot, SessionTable::End end) {
  schedule_.cancel(slot);
  reads_.gone(table_.at(slot).state.key);
  log_debug({.source = settings_.name, .session = table_.at(slot).state.info.id()}, "is done");
  std::vector<StateRecord> records;
  table_.set_fingerprint_bytes(services_.fingerprint_bytes);
  table_.finish(slot, end, system_now(), records);
  push(std::move(records));
}

void SourcePoller::schedule(Schedule::Slot slot, std::chrono::milliseconds wait, PollOrder::Urgency urgency) {
  const SteadyTime due = SteadyClock::now() + wait;
  schedule_.set(slot, due, urgency);
  if (due < dispatch_sleeps_until_) changed_.notify();
}

void SourcePoller::schedule_first(Schedule::Slot slot) {
  ++counters_.sessions;
  const bool over = table_.at(slot).life.final();
  schedule(slot, std::chrono::milliseconds{0}, over ? PollOrder::Urgency::kQuiet : PollOrder::Urgency::kExpected);
}

void SourcePoller::schedule_late(Schedule::Slot slot, LateNews::Kind kind) {
  const Session& session = table_.at(slot);
  ++counters_.sessions;
  counters_.add(Counted::kLate);
  const SessionInfo info = session.state.info.view();
  const std::size_t found = late_.found();
  late_.add({slot, session.state.key}, info.start.value_or(kNever), Watched{std::int64_t{session.state.late_since}},
            kind);
  if (found == LateNews::kMany && late_.found() > found) health_.many_are_late(late_.found());
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

// Of many records, as a sweep may make them, no batch is larger than others.
void SourcePoller::push(std::vector<StateRecord> records) {
  for (std::size_t begin = 0; begin < records.size(); begin += kRecordsPerBatch) {
    const std::size_t end = std::min(records.size(), begin + kRecordsPerBatch);
    Batch batch = new_batch();
    batch.records.assign(std::make_move_iterator(records.begin() + static_cast<std::ptrdiff_t>(begin)),
                         std::make_move_iterator(records.begin() + static_cast<std::ptrdiff_t>(end)));
    services_.queue.push(std::move(batch));
  }
}

}  // namespace sessionlogd
