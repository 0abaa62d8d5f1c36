// Reads the sources' sessions again and compares them with the output: what is there and was not delivered?
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <thread>

#include "config/units.h"
#include "config/value_error.h"
#include "core/api/api_client.h"
#include "core/async/task.h"
#include "core/base/printable.h"
#include "core/entries/audit.h"
#include "core/entries/log_parser.h"
#include "core/polling/discovery.h"
#include "core/polling/named_session.h"
#include "core/polling/session_table.h"
#include "core/state/identity.h"
#include "core/state/restored_state.h"
#include "daemon/commands/ask_sources.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/with_settings.h"
#include "daemon/control/control_socket.h"
#include "sinks/make_sink.h"

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kClockHolds{5};
constexpr std::chrono::minutes kMostPatience{2};
constexpr std::size_t kMostFindings = 20;
// Clocks of appliances and ours, beyond what their Date headers tell: a time zone that is not as configured.
constexpr std::chrono::hours kClocksDiffer{24};

Instant back(Instant at, milliseconds span) {
  return add_nanoseconds(at, -std::chrono::nanoseconds(span).count()).value_or(at);
}

// How long a running daemon may take until it has delivered what a source shows of an open session.
milliseconds patience(const Settings& settings, const SourceSettings& source) {
  return source.poll.max_interval + source.poll.discovery_interval + settings.sink.commit_interval +
         std::chrono::seconds{5};
}

struct Reading {
  const SourceSettings* source;
  RestoredSource known{};
  std::string fault{};  // "" = every session of the span was read
};

class Verification {
 public:
  Verification(const Settings& settings, DeliveredReader& delivered, milliseconds since)
      : settings_(settings), delivered_(delivered), since_(since) {
    for (const SourceSettings& source : settings.sources) readings_.push_back({.source = &source});
  }

  int run() {
    load_state();
    read_sources();
    compare();
    if (!all_is_well() && daemon_listens(settings_.daemon.state_dir)) {
      look_again();
    }
    print();
    const bool all_read = std::ranges::all_of(readings_, [](const Reading& reading) { return reading.fault.empty(); });
    return all_read && all_is_well() ? kWell : kNotWell;
  }

 private:
  // What the state says of a session: whether the daemon will read it again, and under which key it was delivered.
  void load_state() {
    RestoredState restored;
    delivered_.read_state(restored);
    for (Reading& reading : readings_) reading.known = restored.take(reading.source->id);
  }

  void read_sources() {
    const std::vector<std::string> faults =
        ask_sources(settings_, [this](ApiClient& api, std::size_t number) { return read_sessions(api, number); });
    for (std::size_t i = 0; i < faults.size(); ++i) readings_[i].fault = faults[i];
  }

  // What is wrong, "" = nothing.
  Task<std::string> read_sessions(ApiClient& api, std::size_t number) {
    const SourceSettings& source = *readings_[number].source;
    const ZoneRules zone(source.time_zone);
    const Result<std::vector<ListedSession>> listed = co_await list(api, source);
    if (listed.has_error()) co_return listed.error().detail;
    std::string fault;
    for (const ListedSession& session : *listed) {
      std::string target = path_of_session(source.dialect->log.path, session.id);
      const Result<HttpAnswer> answer = co_await api.get(std::move(target));
      if (answer.has_error()) {
        fault = fmt::format("session {}: {}", session.id, answer.error().detail);
        continue;
      }
      Audit::Session as = what_is_known(readings_[number].known, source, session, api.now());
      as.source = number;
      if (session.start) as.start = zone.to_utc(*session.start);
      // What is too large for the daemon is too large here: it is known by its bytes then.
      const AnswerLimits limits{
          .largest_entry = MemoryShares::largest_entry_of(settings_.daemon.memory_bytes, settings_.sink.commit_bytes)};
      const auto log = parser_.parse(*source.dialect, answer->body, session.id, as.key, limits);
      if (log.has_error() || !(*log)->fault.empty()) {
        fault = fmt::format("session {}: {}", session.id, log.has_error() ? log.error().detail : (*log)->fault);
      } else if (!(*log)->more_elsewhere.empty()) {
        fault = fmt::format("session {}: there is more of its log than one response holds: {}", session.id,
                            (*log)->more_elsewhere);
      }
      if (log.has_error()) continue;
      const Instant from = audit_.expect(std::move(as), **log, zone, source.poll.changes == Changes::kFinal, parser_);
      if (from.seconds != INT64_MAX) earliest_ = std::min(earliest_, back(from, api.clock_offset() + kClocksDiffer));
    }
    co_return fault;
  }

  Task<Result<std::vector<ListedSession>>> list(ApiClient& api, const SourceSettings& source) {
    Discovery discovery(api, source);
    std::vector<ListedSession> found;
    for (std::string id : source.sessions) {
      Result<ListedSession> asked = co_await discovery.ask(std::move(id));
      if (asked.has_error()) co_return asked.error();
      found.push_back(std::move(*asked));
    }
    if (!source.sessions.empty()) co_return found;
    // The first answers teach us the appliance's clock.
    for (bool clock_held = false; !clock_held;) {
      const std::chrono::seconds offset = api.clock_offset();
      Result<Listing> listing = co_await discovery.list(back(api.now(), since_));
      if (listing.has_error()) co_return listing.error();
      found = std::move(listing->sessions);
      clock_held = std::chrono::abs(api.clock_offset() - offset) <= kClockHolds;
    }
    std::erase_if(found, [&](const ListedSession& session) { return !is_wanted(source, session); });
    co_return found;
  }

  // Under the key of the session that its id names, as SessionTable finds it.
  Audit::Session what_is_known(RestoredSource& known, const SourceSettings& source, const ListedSession& session,
                               Instant now) {
    Audit::Session as{.source = 0,
                      .id = session.id,
                      .key = session_key(source.id, session.id),
                      .due_before = back(now, patience(settings_, source))};
    struct Named {
      std::uint64_t key, digest;
      const SessionState* open;
      std::optional<DoneMark> done;
    };
    const auto look = [&](std::uint32_t, std::uint64_t key) -> std::optional<Named> {
      if (const auto open = known.sessions.find(key); open != known.sessions.end())
        return Named{key, open->second.digest, &open->second, std::nullopt};
      const auto done = known.done.find(key);
      return done ? std::optional(Named{key, done->digest, nullptr, done}) : std::nullopt;
    };
    bool other_start = false;
    const std::optional<Named> named = find_named(source.id, session, look, other_start);
    if (named) as.key = named->key;
    if (!named || other_start) return as;
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

  void compare() {
    audit_.forget_delivered();
    compared_with_ = delivered_.read_events(earliest_, [this](const Delivered& event) { audit_.delivered(event); });
    counts_ = audit_.counts(readings_.size());
  }

  bool all_is_well() const {
    return std::ranges::all_of(counts_, [](const Audit::Counts& counts) { return counts.is_well(); });
  }

  // The daemon may just be about to deliver what was new when we read it.
  void look_again() {
    milliseconds left{0};
    for (const SourceSettings& source : settings_.sources) left = std::max(left, patience(settings_, source));
    left = std::min<milliseconds>(left, kMostPatience);
    fmt::print(stderr, "not everything is there; looking again for {} s at most, for the daemon runs\n",
               left.count() / 1000);
    for (milliseconds wait{1'000}; left > milliseconds{0} && !all_is_well(); wait *= 2) {
      wait = std::min(wait, left);
      left -= wait;
      std::this_thread::sleep_for(wait);
      compare();
    }
  }

  void print() const {
    std::size_t width = 6;
    for (const Reading& reading : readings_) width = std::max(width, reading.source->name.size());
    fmt::print("{:<{}}  {:>8}  {:>9}  {:>8}  {:>8}  {:>8}  {:>8}  {}\n", "SOURCE", width, "SESSIONS", "ENTRIES",
               "MISSING", "CHANGED", "PENDING", "EXTRA", "RESULT");
    for (std::size_t i = 0; i < readings_.size(); ++i) {
      const Audit::Counts& counts = counts_[i];
      const std::string& fault = readings_[i].fault;
      fmt::print("{:<{}}  {:>8}  {:>9}  {:>8}  {:>8}  {:>8}  {:>8}  {}\n", readings_[i].source->name, width,
                 counts.sessions, counts.entries, counts.missing, counts.changed, counts.pending, counts.extra,
                 !fault.empty()     ? "not read: " + printable(fault)
                 : counts.is_well() ? "ok"
                                    : "not all was delivered");
    }
    for (const Audit::Finding& finding : audit_.findings(kMostFindings)) {
      std::string at = "that cannot be read";
      if (finding.log_time) append_rfc3339(at = {}, *finding.log_time);
      fmt::print("{}: source={} session={} logTime {}{}\n", finding.changed ? "changed since" : "missing",
                 readings_[finding.source].source->name, printable_word(finding.session), at,
                 finding.remembered && !finding.changed ? ", and by the state it was delivered" : "");
    }
    fmt::print("Compared with {} events in {}{}.\n", compared_with_.events, compared_with_.where,
               compared_with_.gone.empty()
                   ? ""
                   : fmt::format("; {} were removed: what stood in them counts as missing", compared_with_.gone));
  }

  const Settings& settings_;
  DeliveredReader& delivered_;
  const milliseconds since_;
  std::vector<Reading> readings_;
  std::deque<SessionHistory> fingerprints_;  // of done sessions that were read
  Audit audit_;
  LogParser parser_;
  Instant earliest_{INT64_MAX};  // of what was delivered of the sessions that were read, by our clock
  ReadBack compared_with_;
  std::vector<Audit::Counts> counts_;
};

}  // namespace

int verify(const std::string& config_file, const std::string& since) {
  milliseconds span{0};
  try {
    span = parse_duration(since);
  } catch (const ValueError&) {
    fmt::print(stderr, "--since: found \"{}\", expected how far back, such as 24h or 7d\n", since);
    return kWrongUsage;
  }
  return with_settings(config_file, [&](const Settings& settings) {
    const std::unique_ptr<DeliveredReader> delivered = make_delivered_reader(settings);
    if (delivered == nullptr) {
      spdlog::error("sink.path is \"-\": what went to standard output cannot be compared with the sources");
      return kNotWell;
    }
    return Verification(settings, *delivered, span).run();
  });
}

}  // namespace sessionlogd
