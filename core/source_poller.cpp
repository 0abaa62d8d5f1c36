#include "core/source_poller.h"

#include <fmt/core.h>
#include <spdlog/spdlog.h>
#include <xxhash.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <unordered_set>

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr unsigned kTriesInOnePass = 4;
constexpr std::chrono::milliseconds kLogOutTimeout{1'500};
constexpr std::chrono::milliseconds kLongestSpread{2'000};

std::uint64_t hash_body(std::string_view text) {
  const std::uint64_t hash = XXH3_64bits(text.data(), text.size());
  return hash == 0 ? 1 : hash;
}

void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) { counter.fetch_add(by, std::memory_order_relaxed); }

}  // namespace

SourcePoller::SourcePoller(ShardServices services, const SourceSettings& settings, RestoredSource restored, Encoder& encoder,
                           PollMode mode)
    : services_(services),
      settings_(settings),
      mode_(mode),
      format_{.source_id = settings.id,
              .dialect = settings.dialect.get(),
              .zone = ZoneRules(settings.time_zone),
              .keep_original = settings.keep_original,
              .only_final = settings.poll.changes == Changes::kFinal,
              .encoder = &encoder},
      api_(services.io, services.http, settings, services.random),
      discovery_(api_, settings),
      source_(restored.source),
      done_(std::move(restored.done)),
      changed_(services.io) {
  for (auto& [key, state] : restored.sessions) add(std::move(state));
}

asio::awaitable<void> SourcePoller::run(std::chrono::milliseconds delay) {
  co_await changed_.wait_until(SteadyClock::now() + delay);
  discovering_ = true;
  asio::co_spawn(services_.io, discover(), asio::detached);
  co_await dispatch();
  while (polling_ > 0 || discovering_) co_await changed_.wait();
  api_.stop();
  co_await api_.log_out(kLogOutTimeout);
}

void SourcePoller::stop() {
  stopping_ = true;
  api_.stop();
  changed_.notify();
}

// ---- Which sessions there are

asio::awaitable<void> SourcePoller::discover() {
  Backoff backoff;
  while (!stopping_) {
    const Result<void> listed = co_await discover_once();
    if (stopping_) break;
    say_listing(listed);
    if (listed.has_value()) say_first_contact();
    counters_.failing = listed.has_error() || left_unread_;
    if (listed.has_value()) backoff.succeeded();
    const auto wait = listed.has_value() ? settings_.poll.discovery_interval : backoff.failed(services_.random());
    if (mode_ == PollMode::kOnePass && (listed.has_value() || backoff.failures() == kTriesInOnePass)) break;
    changed_.notify();
    const SteadyTime next = SteadyClock::now() + wait;
    while (!stopping_ && SteadyClock::now() < next) co_await changed_.wait_until(next);
  }
  discovering_ = false;
  changed_.notify();
}

asio::awaitable<Result<void>> SourcePoller::discover_once() {
  if (!settings_.sessions.empty()) {
    std::vector<std::string> ids = settings_.sessions;
    Result<Listing> asked = co_await ask_for_each(std::move(ids));
    if (asked.has_error()) co_return asked.error();
    take_in(std::move(*asked));
    co_return Result<void>();
  }
  std::optional<Instant> from;
  if (source_.listed_to) {
    from = add_nanoseconds(*source_.listed_to, -std::chrono::nanoseconds(settings_.poll.overlap).count());
  } else if (settings_.poll.lookback) {
    from = add_nanoseconds(api_.now(), -std::chrono::nanoseconds(*settings_.poll.lookback).count());
  }
  Result<Listing> listing = co_await discovery_.list(from);
  if (listing.has_error()) co_return listing.error();
  if (listing->unreadable > 0) spdlog::warn("source={} listed {} sessions without a usable id", settings_.name, listing->unreadable);

  std::vector<std::string> missing = open_but_not_in(*listing);
  const Instant sent = listing->sent;
  take_in(std::move(*listing));
  if (!missing.empty()) {
    Result<Listing> asked = co_await ask_for_each(std::move(missing));
    if (asked.has_error()) co_return asked.error();
    take_in(std::move(*asked));
  }
  // From here on the next listing may begin later: everything this one showed is in a batch before this one.
  source_.listed_to = sent;
  Batch batch = new_batch();
  batch.records.push_back({0, StateRecord::kSourcePart, encode_source(source_)});
  services_.queue.push(std::move(batch));
  co_return Result<void>();
}

// A session that is not there (any more) is left out: what that means is not decided here.
asio::awaitable<Result<Listing>> SourcePoller::ask_for_each(std::vector<std::string> ids) {
  Listing listing;
  listing.sent = api_.now();
  for (const std::string& id : ids) {
    Result<ListedSession> asked = co_await discovery_.ask(id);
    if (asked.has_value()) {
      listing.sessions.push_back(std::move(*asked));
    } else if (asked.error().http_status != 404) {
      co_return asked.error();
    }
  }
  listing.answered = api_.now();
  co_return listing;
}

std::vector<std::string> SourcePoller::open_but_not_in(const Listing& listing) const {
  std::unordered_set<std::string_view> shown;
  for (const ListedSession& session : listing.sessions) shown.insert(session.id);
  std::vector<std::string> missing;
  for (const auto& [key, slot] : slots_) {
    const Session& session = sessions_[slot];
    if (!session.life.final() && !shown.contains(session.state.info.id)) missing.push_back(session.state.info.id);
  }
  return missing;
}

void SourcePoller::take_in(Listing listing) {
  Batch batch = new_batch();
  for (const ListedSession& session : listing.sessions) take_in(session, listing.answered, batch);
  if (!batch.records.empty()) services_.queue.push(std::move(batch));
  counters_.listed = true;
  changed_.notify();
}

// Whether the session is to be read. What changed of it goes into the batch.
bool SourcePoller::take_in(const ListedSession& listed, Instant answered, Batch& batch) {
  if (!wanted(listed)) return false;
  const std::uint64_t key = session_key(settings_.id, listed.id);
  if (done_.contains(key)) return false;

  auto known = slots_.find(key);
  const bool fresh = known == slots_.end();
  if (fresh) {
    SessionState state;
    state.key = key;
    state.info.id = listed.id;
    add(std::move(state));
    known = slots_.find(key);
  }
  Session& session = sessions_[known->second];
  SessionInfo info{.id = session.state.info.id,
                   .type = listed.type,
                   .name = listed.name,
                   .parent = listed.parent,
                   .status = listed.status,
                   .start = std::nullopt,
                   .stop = std::nullopt};
  if (listed.start) info.start = format_.zone.to_utc(*listed.start);
  if (listed.stop) info.stop = format_.zone.to_utc(*listed.stop);

  const bool was_final = session.life.final();
  session.life.listed(settings_.dialect->session_is_final(listed.status), info.stop, answered);
  if (fresh || info != session.state.info || listed.digest != session.state.digest) {
    session.state.info = std::move(info);
    session.state.digest = listed.digest;
    batch.records.push_back({key, StateRecord::kSessionPart, encode_session(session.state)});
  }
  // What just became final is read right away.
  if (session.life.final() && !was_final && !fresh && !session.in_flight) schedule(known->second, std::chrono::milliseconds{0});
  return true;
}

bool SourcePoller::wanted(const ListedSession& listed) const {
  const auto& types = settings_.session_types;
  const auto holds = [&](const std::vector<std::string>& list) { return std::find(list.begin(), list.end(), listed.type) != list.end(); };
  return (types.include.empty() || holds(types.include)) && !holds(types.exclude);
}

// ---- When each is polled

asio::awaitable<void> SourcePoller::dispatch() {
  while (!stopping_) {
    if (services_.queue.full()) {
      co_await services_.room.wait_until(SteadyClock::now() + std::chrono::seconds{1});
      continue;
    }
    const SteadyTime now = SteadyClock::now();
    if (polling_ < settings_.poll.connections) {
      if (const auto slot = schedule_.take_due(now)) {
        ++polling_;
        sessions_[*slot].in_flight = true;
        asio::co_spawn(services_.io, poll(*slot), asio::detached);
        continue;
      }
    }
    if (!has_work()) break;
    const bool busy = polling_ >= settings_.poll.connections;
    co_await changed_.wait_until(busy ? SteadyTime::max() : schedule_.next_due().value_or(SteadyTime::max()));
  }
}

bool SourcePoller::has_work() const {
  if (mode_ == PollMode::kForever) return true;
  return discovering_ || polling_ > 0 || schedule_.size() > 0;
}

asio::awaitable<void> SourcePoller::poll(Schedule::Slot slot) {
  const Instant sent = api_.now();
  std::string target = path_of_session(settings_.dialect->log.path, sessions_[slot].state.info.id);
  Result<HttpAnswer> answer = co_await api_.get(std::move(target));
  // From here to the end nothing suspends: the answer is read, pushed and remembered in one step.
  sessions_[slot].in_flight = false;
  if (answer.has_value()) {
    finish_poll(slot, *answer, sent);
  } else if (answer.error().kind != ErrorKind::kCancelled) {
    poll_failed(slot, answer.error());
  }
  --polling_;
  if (polling_ == 0) say_first_contact();
  changed_.notify();
}

void SourcePoller::finish_poll(Schedule::Slot slot, const HttpAnswer& answer, Instant sent) {
  Session& session = sessions_[slot];
  const std::uint64_t hash = hash_body(answer.body.text());
  const bool last = session.life.is_last(sent, settings_.poll.settle);
  if (hash == session.body_hash && !last) {
    bump(counters_.polls_unchanged);
    return read_was(slot, sent, Pace::News::kUnchanged);
  }
  const Result<ReadOutcome> read = services_.reader.read(format_, session.state, answer.body, last);
  if (read.has_error()) return poll_failed(slot, read.error());

  bump(counters_.entries, read->entries);
  bump(counters_.events, read->events());
  bump(read->events_new + read->events_error > 0 ? counters_.polls_new
       : read->events_changed > 0               ? counters_.polls_changed
                                                : counters_.polls_unchanged);
  if (!read->fault.empty()) return poll_failed(slot, Error(ErrorKind::kBadAnswer, read->fault));
  session.body_hash = hash;
  read_was(slot, sent, read->events() > 0 ? Pace::News::kChanged : Pace::News::kUnchanged);
}

// The session's log was read to its end.
void SourcePoller::read_was(Schedule::Slot slot, Instant sent, Pace::News news) {
  Session& session = sessions_[slot];
  if (!session.read) bump(counters_.read);
  session.read = true;
  session.backoff.succeeded();
  const auto& poll = settings_.poll;
  const auto next = session.life.after_read(sent, poll.settle, poll.interval);
  if (next.step == SessionLife::Next::Step::kDone) return done(slot);
  session.state.phase = session.life.final() ? Phase::kSettling : Phase::kOpen;
  const bool by_pace = next.step == SessionLife::Next::Step::kByPace;
  // In one pass a session is read again only if its final state was seen after this read was sent.
  if (mode_ == PollMode::kOnePass && (by_pace || next.wait.count() > 0)) return;
  const auto pace = session.pace.after(news, poll.interval, poll.max_interval);
  schedule(slot, by_pace ? pace : next.wait);
}

void SourcePoller::poll_failed(Schedule::Slot slot, const Error& error) {
  Session& session = sessions_[slot];
  bump(counters_.polls_failed);
  const auto wait = session.backoff.failed(services_.random());
  if (session.backoff.failures() == 1) {
    spdlog::debug("source={} session={} poll failed: {}", settings_.name, session.state.info.id, error.detail);
  }
  if (mode_ == PollMode::kOnePass && session.backoff.failures() >= kTriesInOnePass) {
    spdlog::error("source={} session={} could not be read: {}", settings_.name, session.state.info.id, error.detail);
    left_unread_ = true;
    counters_.failing = true;
    return;
  }
  schedule(slot, wait);
}

void SourcePoller::done(Schedule::Slot slot) {
  Session& session = sessions_[slot];
  session.state.phase = Phase::kDone;
  Batch batch = new_batch();
  append_done(session.state, batch.records);
  services_.queue.push(std::move(batch));
  done_[session.state.key] = {session.state.digest, session.state.latest};
  slots_.erase(session.state.key);
  session = Session();
  free_.push_back(slot);
}

Schedule::Slot SourcePoller::add(SessionState state) {
  Schedule::Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Schedule::Slot>(sessions_.size());
    sessions_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[state.key] = slot;
  sessions_[slot].state = std::move(state);
  bump(counters_.sessions);
  schedule(slot, mode_ == PollMode::kOnePass ? std::chrono::milliseconds{0} : spread(std::min(settings_.poll.interval, kLongestSpread)));
  return slot;
}

void SourcePoller::schedule(Schedule::Slot slot, std::chrono::milliseconds wait) {
  schedule_.set(slot, SteadyClock::now() + wait);
  changed_.notify();
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

// ---- What is said of it

void SourcePoller::say_listing(const Result<void>& listed) {
  const std::string error = listed.has_error() ? listed.error().detail : std::string();
  if (error == said_error_) return;
  if (!error.empty()) {
    spdlog::warn("source={} cannot be listed: {}; it is tried again", settings_.name, error);
  } else {
    spdlog::info("source={} is listed again", settings_.name);
  }
  said_error_ = error;
}

// Once, when everything that the first listing showed was read.
void SourcePoller::say_first_contact() {
  if (first_contact_said_ || !counters_.listed || counters_.read < counters_.sessions) return;
  first_contact_said_ = true;
  spdlog::info("source={} first contact: {} {}, api version {}, {} sessions, {} entries, clock offset {} s", settings_.name,
               settings_.dialect->vendor, settings_.dialect->product, settings_.api_version, counters_.sessions.load(),
               counters_.entries.load(), api_.clock_offset().count());
}

}  // namespace sessionlogd
