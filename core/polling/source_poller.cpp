#include "core/polling/source_poller.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/async/task.h"
#include "core/base/body_hash.h"
#include "core/base/json_text.h"
#include "core/base/log_line.h"
#include "core/state/identity.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kLogOutTimeout{1'500};
constexpr std::chrono::milliseconds kLongestSpread{2'000};
constexpr std::chrono::hours kPaceOfTheOld{1};
constexpr std::string_view kLookInQuarantine = "what came instead is in quarantine/ in the state directory";
constexpr std::string_view kGivenAway = "its id was given to another session";
constexpr int kDriftOfPace = 8;  // a quiet session is polled up to an eighth of its pace early
// Of sessions that were found and not read yet: a listing that goes on for ever would fill the memory with them.
constexpr std::size_t kMostWaitingBytes = 32u << 20;
constexpr std::chrono::seconds kLooksForRoom{1};
constexpr std::size_t kRecordsPerBatch = 4'096;
constexpr std::size_t kMostLeftUnreadSaid = 10;

Doubt doubt_of(const Session& session) {
  return {.disputed = session.is_disputed(),
          .asked_before_dispute = session.trouble && session.trouble->asked_before_dispute,
          .vouched_for = session.trouble && session.trouble->vouched_for};
}

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
      api_(services_.io, services_.http, settings_, services_.random,
           {.held_back = mode_ == PollMode::kOnePass ? HeldBack::kFails : HeldBack::kWaits,
            .accounts = services_.accounts}),
      health_(settings_, api_),
      reads_(settings_.poll.max_interval, settings_.poll.timeout),
      table_(settings_, std::move(restored), system_now()),
      finder_({.io = services_.io,
               .settings = settings_,
               .api = api_,
               .table = table_,
               .health = health_,
               .found = *this,
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
  co_await api_.log_out(kLogOutTimeout);
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
  if (taken.as == As::kNew) return schedule_first(taken.slot);
  if (session.is_late() && !how.by_sweep) {
    session.state.late_since = SessionState::kNotYet;
    return schedule_first(taken.slot);
  }
  // Of several sessions that the id named, only what was asked for by it is the one that has its log.
  const bool vouched = !session.is_disputed() && session.is_strange() &&
                       *session.trouble->strange_since < how.inquiry && (how.by_id || !table_.has_others(taken.slot));
  if (vouched) session.trouble->vouch();
  // What just became final, is the same session after all, or may not be, is read right away.
  const bool is_expected = vouched || taken.as == As::kFinished || taken.as == As::kDisputed;
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
    Result<HttpAnswer> answer = co_await api_.get(std::move(target));
    const Watched sent = finder_.watched_at(began);
    Polled polled = Polled::kMoreToCome;
    while (polled == Polled::kMoreToCome) {
      // What the queue has no room for stays in the body.
      const bool must_wait = services_.queue.full() || stopping_;
      if (answer.has_value() && must_wait && !co_await room_to_read()) break;
      // From here on nothing suspends: that much of the answer is read, pushed and remembered in one step.
      polled = take_answer(slot, answer, sent);
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

SourcePoller::Polled SourcePoller::take_answer(Schedule::Slot slot, const Result<HttpAnswer>& answer, Watched sent) {
  table_.at(slot).in_flight = false;
  Polled polled = Polled::kAll;
  if (table_.at(slot).is_over()) {
    give_away(slot);
  } else if (answer.has_value()) {
    polled = finish_poll(slot, *answer, sent);
  } else if (const Error error = answer.error(); error.kind != ErrorKind::kCancelled) {
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

SourcePoller::Polled SourcePoller::finish_poll(Schedule::Slot slot, const HttpAnswer& answer, Watched sent) {
  Session& session = table_.at(slot);
  const std::uint64_t hash = hash_body(answer.body.text());
  const bool last = session.life.is_last(sent, settings_.poll.settle) && !session.is_disputed();
  if (hash == session.body_hash && !last && !session.is_disputed()) {
    counters_.add(Counted::kPollsUnchanged);
    counters_.add(Counted::kEntries, session.entries);
    read_was(slot, sent, Pace::News::kUnchanged, session.fill);
    return Polled::kAll;
  }
  const TimeShift shift = take_shift(session, answer.body);
  const Doubt doubt = doubt_of(session);
  const bool was_known = session.state.history.size() > 0;
  const Result<ReadOutcome> read = services_.reader.read(format_, session.state, answer.body, last, strange_of(doubt));
  const bool broken = read.has_error() ? read.error().kind == ErrorKind::kBadAnswer : !read->fault.empty();
  const bool is_no_log = read.has_error() && read.error().worth_keeping;
  const bool is_kept = broken && (is_no_log || !is_json(answer.body.text())) &&
                       count_not_json(session.state.info.id(), "its log", answer.body.text());
  if (read.has_error()) {
    Error error = read.error();
    if (is_kept) error.remedy = kLookInQuarantine;
    poll_failed(slot, error);
    return Polled::kAll;
  }

  switch (settle_owner(slot, *read, shift)) {
    case Owner::kAnother:
      return Polled::kAll;
    case Owner::kUnknown:
      return Polled::kStrange;
    case Owner::kSession:
    case Owner::kCorrectedSession:
      break;
  }
  count_events(*read);
  if (read->events() > 0) session.state.news_at = sent.count();
  count_not_utf8(slot, read->not_utf8);
  if (read->more) return Polled::kMoreToCome;
  if (doubt.vouched_for && was_known && read->recognised == 0 && read->events() > 0) {
    log_info({.source = settings_.name, .session = session.state.info.id()},
             "has another log than before under the same start: it was cleared or rolled over");
  }
  counters_.add(Counted::kEntries, read->entries);
  counters_.add(read->events_new + read->events_error > 0 ? Counted::kPollsNew
                : read->events_changed > 0                ? Counted::kPollsChanged
                                                          : Counted::kPollsUnchanged);
  if (!read->fault.empty()) {
    Error error(ErrorKind::kBadAnswer, read->fault);
    if (is_kept) error.remedy = kLookInQuarantine;
    poll_failed(slot, error);
    return Polled::kAll;
  }
  health_.more_elsewhere(session.state.info.id(), read->more_elsewhere);
  session.body_hash = hash;
  session.holds_back = read->held_back > 0;
  session.entries = static_cast<std::uint32_t>(read->entries);
  session.fill = !read->more_elsewhere.empty()        ? LogFill::kPart
                 : read->entries == 0 || read->shrunk ? LogFill::kLacking
                                                      : LogFill::kUsual;
  read_was(slot, sent, read->events() > 0 ? Pace::News::kChanged : Pace::News::kUnchanged, session.fill);
  return Polled::kAll;
}

// Whether a row that names another start only shows that its source writes times in another zone now: the entries tell.
TimeShift SourcePoller::take_shift(Session& session, const Body& body) {
  if (!session.is_disputed()) return {};
  const TimeShift shift = shift_since(session.state.digest, *session.trouble->dispute);
  const std::optional<TimeShift> in_all = sum(session.state.shift, shift);
  if (!shift || !in_all || !services_.reader.is_shifted(format_, session.state, body, *in_all)) return {};
  session.state.shift = *in_all;
  session.trouble->asked_before_dispute = false;  // the log was shifted already
  return shift;
}

Owner SourcePoller::settle_owner(Schedule::Slot slot, const ReadOutcome& read, TimeShift shift) {
  Session& session = table_.at(slot);
  const Owner owner = owner_of(doubt_of(session), read);
  if (session.is_disputed()) session.trouble->asked_before_dispute = false;
  if (owner == Owner::kUnknown) read_was_strange(slot);
  if (owner == Owner::kAnother) part(slot);
  if (owner == Owner::kCorrectedSession) is_same(slot, shift);
  return owner;
}

void SourcePoller::is_same(Schedule::Slot slot, TimeShift shift) {
  const std::string_view id = table_.at(slot).state.info.id();
  std::vector<StateRecord> records;
  const Showing how = finder_.showing();
  if (shift) {
    say_shift(id, shift);
    table_.believe(shift);
  } else {
    log_info({.source = settings_.name, .session = id}, "start was corrected");
  }
  table_.is_same(slot, how, records);
  push(std::move(records));
}

// All sessions of a source are shifted, by one span or, in winter and in summer, by two.
void SourcePoller::say_shift(std::string_view session, TimeShift shift) {
  if (std::ranges::find(said_shifts_, shift) != said_shifts_.end()) return;
  said_shifts_.push_back(shift);
  const auto minutes = shift.span().count();
  log_warn({.source = settings_.name, .session = session},
           "writes its times {} minutes {} than before; sessions and entries are known by what they were, and none is "
           "delivered again; look whether time_zone is still right",
           std::abs(minutes), minutes > 0 ? "later" : "earlier");
}

// The id names another session: what is not read of the one before never will be.
SessionTable::End SourcePoller::end_as_given_away(Schedule::Slot slot) {
  const Session& session = table_.at(slot);
  schedule_.cancel(slot);
  const bool lacks = lacks_something({.was_done = session.trouble && session.trouble->was_done,
                                      .is_unread = session.state.phase == Phase::kWaiting,
                                      .was_settling = session.life.final() && session.state.phase == Phase::kSettling,
                                      .held_back = session.holds_back || (format_.only_final && !session.read)});
  if (lacks) {
    say_gap(slot, kGivenAway);
  } else {
    log_info({.source = settings_.name, .session = session.state.info.id()}, "ends here: {}", kGivenAway);
  }
  reads_.gone(session.state.key);
  return lacks ? SessionTable::End::kGivenUp : SessionTable::End::kRead;
}

// To one that its row names for the first time.
void SourcePoller::part(Schedule::Slot slot) {
  const SessionTable::End end = end_as_given_away(slot);
  std::vector<StateRecord> records;
  const Showing how = finder_.showing();
  const SessionTable::TakenIn taken = table_.is_another(slot, end, how, records);
  push(std::move(records));
  if (taken.as == SessionTable::TakenIn::As::kNew) schedule_first(taken.slot);
}

// To one that is known: the source said so when it was asked for the id. A slot is kept while a response is on its way.
void SourcePoller::end_others_of(const ListedSession& row) {
  for (const Schedule::Slot slot : table_.others_of(row)) {
    Session& session = table_.at(slot);
    if (session.in_flight) {
      session.in_trouble().is_over = true;
    } else {
      give_away(slot);
    }
  }
}

void SourcePoller::give_away(Schedule::Slot slot) {
  const SessionTable::End end = end_as_given_away(slot);
  std::vector<StateRecord> records;
  table_.finish(slot, end, system_now(), records);
  push(std::move(records));
}

void SourcePoller::count_events(const ReadOutcome& read) {
  if (read.events() == 0) return;
  counters_.add(Counted::kEventsNew, read.events_new);
  counters_.add(Counted::kEventsChanged, read.events_changed);
  counters_.add(Counted::kEventsError, read.events_error);
  counters_.add(Counted::kEventsGap, read.events_gap);
  uncommitted_.pushed(services_.queue.pushed(), SteadyClock::now());
}

bool SourcePoller::count_not_json(std::string_view session, std::string_view expected, std::string_view body) {
  counters_.add(Counted::kNotJson);
  if (services_.quarantine == nullptr) return false;
  return services_.quarantine->keep({settings_.name, session, expected}, body,
                                    [this](std::string_view kept) { return api_.echoes_secret(kept); });
}

void SourcePoller::count_not_utf8(Schedule::Slot slot, std::size_t events) {
  if (events == 0) return;
  counters_.add(Counted::kNotUtf8, events);
  health_.not_utf8(table_.at(slot).state.info.id());
}

// They may be another session's, to which its id was given. The source is asked at once; if it does not say, the next
// listing does.
void SourcePoller::read_was_strange(Schedule::Slot slot) {
  Session& session = table_.at(slot);
  counters_.add(Counted::kPollsFailed);
  if (!session.is_strange()) {
    log_debug({.source = settings_.name, .session = session.state.info.id()},
              "has a log that seems to be of another session; the source is asked "
              "whether its id was given to another session");
  }
  session.in_trouble().strange_since = finder_.inquiries();
  Error error(ErrorKind::kTryLater, "its log seems to be another session's");
  error.remedy = "look on the appliance whether its id was given away; it is read once a listing shows whose it is";
  reads_.failed(session.state.key, error, SteadyClock::now());
  judge_reads();
  schedule(slot, settings_.poll.discovery_interval, PollOrder::Urgency::kQuiet);
}

// In one pass no other listing comes. The one that was read vouches for what it showed and did not dispute.
void SourcePoller::vouch_for(Schedule::Slot slot) {
  Session& session = table_.at(slot);
  if (!session.is_strange() || session.is_disputed()) return;
  if (finding_ && !finder_.listed_at()) return;
  if (session.shown_by == 0 || table_.has_others(slot)) {
    schedule_.cancel(slot);
    return say_left_unread(session.state.info.id(), {ErrorKind::kTryLater, "no row says whose its log is"});
  }
  session.in_trouble().vouch();
  schedule(slot, std::chrono::milliseconds{0}, PollOrder::Urgency::kExpected);
}

// The session's log was read to its end.
void SourcePoller::read_was(Schedule::Slot slot, Watched sent, Pace::News news, LogFill fill) {
  Session& session = table_.at(slot);
  if (!session.read) ++counters_.read;
  if (news == Pace::News::kChanged) session.life.brought_news(sent, settings_.poll.settle);
  session.read = true;
  if (!session.is_disputed()) session.trouble.reset();
  read_at_ = SteadyClock::now();
  reads_.read(session.state.key, *read_at_);
  if (!health_.gives_logs()) judge_reads();
  const auto& poll = settings_.poll;
  const auto next = session.life.after_read(sent, fill, poll.settle, poll.interval);
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
  const bool by_pace = again == NextRead::kByPace;
  const auto pace = session.pace.after(news, poll.interval, slowest_pace(session));
  if (by_pace && news == Pace::News::kChanged) return schedule(slot, pace, PollOrder::Urgency::kExpected);
  // Those that were polled together, after a pause, say, would be so for ever.
  const auto drifted = std::max(poll.interval, pace - spread(pace / kDriftOfPace));
  schedule(slot, by_pace ? drifted : next.wait, PollOrder::Urgency::kQuiet);
}

// By watched time: no clock that steps makes a session old.
Watched SourcePoller::without_news(const Session& session) const {
  if (session.state.news_at == SessionState::kNotYet) return Watched{0};
  return finder_.watched_now() - Watched{std::int64_t{session.state.news_at}};
}

// A session that never ends is not worth the pace of one that grows.
std::chrono::milliseconds SourcePoller::slowest_pace(Session& session) {
  const auto& poll = settings_.poll;
  if (session.life.final()) return poll.max_interval;
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

// The end of the pass counts them.
void SourcePoller::say_left_unread(std::string_view session, const Error& error) {
  if (++left_unread_ <= kMostLeftUnreadSaid) {
    log_error({.source = settings_.name, .session = session}, "could not be read: {}", error.detail);
  } else if (left_unread_ == kMostLeftUnreadSaid + 1) {
    log_error({.source = settings_.name}, "has more sessions that could not be read: they are only counted");
  }
}

void SourcePoller::poll_failed(Schedule::Slot slot, const Error& error) {
  Session& session = table_.at(slot);
  counters_.add(Counted::kPollsFailed);
  ReadTrouble& trouble = session.in_trouble();
  const auto wait = trouble.backoff.failed(services_.random());
  if (trouble.backoff.failures() == 1) {
    log_debug({.source = settings_.name, .session = session.state.info.id()}, "poll failed: {}", error.detail);
  }
  const FailedRead failed{.error = error,
                          .final = session.life.final(),
                          .source_lists = health_.lists(),
                          .is_listed = session.shown_by >= finder_.last_listing(),
                          .failures_in_a_row = trouble.backoff.failures()};
  reads_.failed(session.state.key, error, SteadyClock::now(), about(failed));
  if (is_left_unread(failed, mode_)) {
    say_left_unread(session.state.info.id(), error);
    return judge_reads();
  }
  judge_reads();
  if (!may_be_for_good(failed)) {
    trouble.lost.cleared();
  } else {
    trouble.lost.failed(SteadyClock::now());
    if (trouble.lost.given_up(error.http_status == 404 ? finder_.listed_at() : read_at_))
      return give_up(slot, failed.is_listed ? SessionTable::End::kRead : SessionTable::End::kGivenUp, error.detail);
  }
  schedule(slot, wait, PollOrder::Urgency::kQuiet);
}

// What was not read of it never will be, unless it is shown again: that is said in the output, where it is missing. A
// session that was only ever queued had nothing to read. One that was shown again and could not be read since is done:
// nothing else is missing than what was said, and it would come back with each sweep.
void SourcePoller::give_up(Schedule::Slot slot, SessionTable::End end, std::string_view why) {
  const Session& session = table_.at(slot);
  const SessionState& state = session.state;
  const bool was_said = state.phase == Phase::kWaiting && state.history.knows(gap_key(GapKind::kGivenUp, 0, state.key));
  const bool was_only_queued =
      session.read && state.history.size() == 0 && settings_.dialect->session_is_queued(state.info.view().status);
  if (was_said || was_only_queued) {
    log_info({.source = settings_.name, .session = state.info.id()}, "ends unread, {}: {}",
             was_said ? "as before" : "it was only queued", why);
  } else {
    say_gap(slot, why);
  }
  finish(slot, was_said ? SessionTable::End::kRead : end);
}

void SourcePoller::say_gap(Schedule::Slot slot, std::string_view why) {
  Session& session = table_.at(slot);
  log_error({.source = settings_.name, .session = session.state.info.id()},
            "could not be read to its end and is given up: {}", why);
  services_.reader.gap(format_, session.state, GapKind::kGivenUp, why);
  counters_.add(Counted::kEventsGap);
  uncommitted_.pushed(services_.queue.pushed(), SteadyClock::now());
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
  const auto most =
      mode_ == PollMode::kOnePass ? std::chrono::milliseconds{0} : std::min(settings_.poll.interval, kLongestSpread);
  const bool over = table_.at(slot).life.final();
  schedule(slot, spread(most), over ? PollOrder::Urgency::kQuiet : PollOrder::Urgency::kExpected);
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
