#include "daemon/commands/verification.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "core/base/printable.h"
#include "core/polling/named_session.h"
#include "core/polling/session_table.h"
#include "core/state/identity.h"
#include "daemon/commands/ask_sources.h"

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kClockHolds{5};
constexpr std::chrono::minutes kMostPatience{2};
// In a group, a member that dies and its partitions are taken over.
constexpr std::chrono::seconds kGroupPatience{45};
// Clocks of appliances and ours, beyond what their Date headers tell: a time zone that is not as configured.
constexpr std::chrono::hours kClocksDiffer{24};

// An entry of a session that began before the span may be the first and stand in the span.
constexpr milliseconds kLongestUntilFirstEntry{std::chrono::hours{1}};

// No window shows a session without a start.
bool is_shown_by_windows(const RestoredSource& known, std::uint64_t key) {
  if (const auto open = known.sessions.find(key); open != known.sessions.end()) return has_start(open->second.digest);
  const auto done = known.done.find(key);
  return done && has_start(done->digest);
}

bool is_only_final(const SourceSettings& source) { return source.poll.changes == Changes::kFinal; }

// How long a running daemon may take until it has delivered what a source shows of an open session.
milliseconds patience(const Settings& settings, const SourceSettings& source) {
  return source.poll.max_interval + source.poll.discovery_interval + settings.sink.commit_interval +
         std::chrono::seconds{5};
}

}  // namespace

Verification::Verification(const Settings& settings, DeliveredReader& delivered, milliseconds since)
    : settings_(settings), delivered_(delivered), since_(since) {
  for (const SourceSettings& source : settings.sources) {
    by_id_.emplace(source.id, readings_.size());
    readings_.push_back({.source = &source});
  }
}

void Verification::run() {
  load_state();
  read_sources();
  compare();
}

// What the state says of a session: whether the daemon will read it again, and under which key it was delivered.
void Verification::load_state() {
  RestoredState restored;
  delivered_.read_state(restored);
  for (Reading& reading : readings_) reading.known = restored.take(reading.source->id);
}

void Verification::read_sources() {
  const std::vector<std::string> faults =
      ask_sources(settings_, [this](ApiClient& api, std::size_t number) { return read_sessions(api, number); });
  for (std::size_t i = 0; i < faults.size(); ++i) readings_[i].fault = faults[i];
}

Task<std::string> Verification::read_sessions(ApiClient& api, std::size_t number) {
  const SourceSettings& source = *readings_[number].source;
  readings_[number].begun = system_now();
  const ZoneRules zone(source.time_zone);
  const Result<std::vector<ListedSession>> listed = co_await list(api, readings_[number]);
  if (listed.has_error()) co_return listed.error().detail;
  std::string fault;
  for (const ListedSession& session : *listed) {
    std::string target = path_of_session(source.dialect->log.path, session.id);
    const Result<HttpResponse> response = co_await api.get(std::move(target));
    if (response.has_error()) {
      fault = fmt::format("session {}: {}", session.id, response.error().detail);
      continue;
    }
    Audit::Session as = what_is_known(readings_[number].known, source, session, api.now());
    as.source = number;
    if (session.start) as.start = zone.to_utc(*session.start);
    const Result<const SessionLog*> log = parse(source, as, response->body);
    if (log.has_error() || !(*log)->fault.empty()) {
      fault = fmt::format("session {}: {}", session.id, log.has_error() ? log.error().detail : (*log)->fault);
    } else if (!(*log)->more_elsewhere.empty()) {
      fault = fmt::format("session {}: there is more of its log than one response holds: {}", session.id,
                          (*log)->more_elsewhere);
    }
    if (log.has_error()) continue;
    const Instant from = audit_.expect(std::move(as), **log, zone, is_only_final(source), parser_);
    if (from.seconds != INT64_MAX) earliest_ = std::min(earliest_, back(from, api.clock_offset() + kClocksDiffer));
  }
  co_return fault;
}

Result<const SessionLog*> Verification::parse(const SourceSettings& source, const Audit::Session& session,
                                              const Body& body) {
  // What is too large for the daemon is too large here: it is known by its bytes then.
  const ResponseLimits limits{
      .largest_entry = MemoryShares::largest_entry_of(settings_.daemon.memory_bytes, settings_.sink.commit_bytes)};
  return parser_.parse(*source.dialect, body, session.id, session.key, limits, {}, session.shift);
}

Task<Result<std::vector<ListedSession>>> Verification::list(ApiClient& api, Reading& reading) {
  const SourceSettings& source = *reading.source;
  Discovery discovery(api, source);
  std::vector<ListedSession> found;
  for (std::string id : source.sessions) {
    Result<ListedSession> asked = co_await discovery.ask(std::move(id));
    if (asked.has_error()) co_return asked.error();
    found.push_back(std::move(*asked));
  }
  if (!source.sessions.empty()) co_return found;
  // The first responses teach us the appliance's clock.
  for (bool clock_held = false; !clock_held;) {
    const std::chrono::seconds offset = api.clock_offset();
    const Instant from = back(api.now(), since_), asked = system_now();
    Result<Listing> listing = co_await discovery.list(from);
    if (listing.has_error()) co_return listing.error();
    expect_shown(reading, *listing, from, asked);
    found = std::move(listing->sessions);
    clock_held = std::chrono::abs(api.clock_offset() - offset) <= kClockHolds;
  }
  std::erase_if(found, [&](const ListedSession& session) { return !is_wanted(source, session); });
  co_return found;
}

// Of an incomplete listing nothing is said.
void Verification::expect_shown(Reading& reading, const Listing& listing, Instant from, Instant asked) {
  if (!listing.missing.empty()) return;
  const ZoneRules zone(reading.source->time_zone);
  HiddenSessions::Listing shows{.from = back(from, -std::min(kLongestUntilFirstEntry, since_ / 4)), .asked = asked};
  for (const ListedSession& session : listing.sessions) {
    shows.ids.insert(session.id);
    if (!session.stop || !reading.source->dialect->session_is_final(session.status)) continue;
    const Instant stop = zone.to_utc(*session.stop);
    shows.oldest_stop = std::min(shows.oldest_stop.value_or(stop), stop);
  }
  earliest_ = std::min(earliest_, back(asked, since_ + kClocksDiffer));
  reading.hidden.expect(std::move(shows));
}

// Under the key of the session that its id names, as SessionTable finds it.
Audit::Session Verification::what_is_known(RestoredSource& known, const SourceSettings& source,
                                           const ListedSession& session, Instant now) {
  Audit::Session as{.source = 0,
                    .id = session.id,
                    .key = session_key(source.id, session.id),
                    .due_before = back(now, patience(settings_, source))};
  struct Named {
    std::uint64_t key, digest;
    const SessionState* open;
    std::optional<DoneMark> done;
    TimeShift shift{};
  };
  const auto look = [&](std::uint32_t, std::uint64_t key) -> std::optional<Named> {
    if (const auto open = known.sessions.find(key); open != known.sessions.end())
      return Named{key, open->second.digest, &open->second, std::nullopt, open->second.shift};
    const auto done = known.done.find(key);
    return done ? std::optional(Named{key, done->digest, nullptr, done, done->shift}) : std::nullopt;
  };
  bool other_start = false;
  const std::optional<Named> named = find_named(source.id, session, look, other_start);
  if (named) as.key = named->key;
  if (!named || other_start) return as;
  as.shift = named->shift;
  if (named->open != nullptr) {
    as.remembered = &named->open->history;
    as.delivered_to = named->open->only_after;
    if (named->open->phase == Phase::kSettling) as.due_before = Instant{INT64_MIN};
    return as;
  }
  const DoneMark& done = *named->done;
  if (done.kind == DoneMark::Kind::kLeftAlone || done.kind == DoneMark::Kind::kBefore) {
    as.due_before = Instant{INT64_MIN};
    return as;
  }
  if (auto history = known.fingerprints.take(named->key, done.place))
    as.remembered = &fingerprints_.emplace_back(std::move(*history));
  as.delivered_to = done.kind == DoneMark::Kind::kOld ? done.latest : done.made;
  if (done.digest == session.digest || done.digest == session.old_digest) as.due_before = Instant{INT64_MAX};
  return as;
}

void Verification::compare() {
  audit_.forget_delivered();
  for (Reading& reading : readings_) {
    reading.hidden.forget_delivered();
    reading.was_read_since = false;
  }
  compared_with_ = delivered_.read_events(earliest_, [this](const Delivered& event) { delivered(event); });
  counts_ = audit_.counts(readings_.size());
}

void Verification::delivered(const Delivered& event) {
  audit_.delivered(event);
  const auto source = by_id_.find(event.source_id);
  if (source == by_id_.end()) return;
  Reading& reading = readings_[source->second];
  reading.was_read_since |= event.read_at && *event.read_at > reading.begun;
  if (is_shown_by_windows(reading.known, event.session_key)) reading.hidden.delivered(event);
}

bool Verification::nothing_is_hidden() const {
  return std::ranges::all_of(readings_, [](const Reading& reading) { return reading.hidden.sessions().empty(); }) &&
         std::ranges::all_of(counts_, [](const Audit::Counts& counts) { return counts.emptied == 0; });
}

bool Verification::nothing_is_in_question() const { return audit_.in_question().empty(); }

bool Verification::nothing_is_missing() const {
  return std::ranges::all_of(counts_, [](const Audit::Counts& counts) { return counts.is_well(); });
}

// The daemon may just be about to deliver what was new when we read it.
void Verification::look_again(const std::function<void(std::chrono::seconds)>& say) {
  milliseconds left{0};
  for (const SourceSettings& source : settings_.sources) left = std::max(left, patience(settings_, source));
  left = std::min<milliseconds>(left, kMostPatience);
  if (!group_of(settings_.sink).empty()) left += kGroupPatience;
  say(std::chrono::duration_cast<std::chrono::seconds>(left));
  for (milliseconds wait{1'000}; left > milliseconds{0} && !nothing_is_missing(); wait *= 2) {
    wait = std::min(wait, left);
    left -= wait;
    std::this_thread::sleep_for(wait);
    compare();
  }
  const std::vector<const Audit::Session*> still = audit_.in_question();
  if (still.empty()) return;
  read_again(still);
  compare();
}

// Not where nothing has been delivered since: what comes and goes there is lost.
void Verification::read_again(const std::vector<const Audit::Session*>& sessions) {
  std::vector<std::vector<const Audit::Session*>> of_source(readings_.size());
  for (const Audit::Session* session : sessions) {
    if (readings_[session->source].was_read_since) of_source[session->source].push_back(session);
  }
  ask_sources(settings_, [&](ApiClient& api, std::size_t number) -> Task<std::string> {
    for (const Audit::Session* session : of_source[number])
      co_await read_again(api, *readings_[number].source, *session);
    co_return std::string();
  });
}

// A log that cannot be read now says nothing new.
Task<void> Verification::read_again(ApiClient& api, const SourceSettings& source, const Audit::Session& session) {
  std::string target = path_of_session(source.dialect->log.path, session.id);
  const Result<HttpResponse> response = co_await api.get(std::move(target));
  if (response.has_error()) co_return;
  const Result<const SessionLog*> log = parse(source, session, response->body);
  if (log.has_error() || !(*log)->fault.empty() || !(*log)->more_elsewhere.empty()) co_return;
  audit_.expect_still(session, **log, is_only_final(source));
}

}  // namespace sessionlogd
