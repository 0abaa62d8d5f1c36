// Reads the sources' sessions again and compares them with the output: what is there and was not delivered?
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <filesystem>
#include <memory>
#include <random>
#include <thread>

#include "config/units.h"
#include "config/value_error.h"
#include "core/api_client.h"
#include "core/audit.h"
#include "core/discovery.h"
#include "core/identity.h"
#include "core/log_parser.h"
#include "core/restored_state.h"
#include "core/spawn.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/with_settings.h"
#include "daemon/control_socket.h"
#include "sinks/file_journal.h"
#include "sinks/output_scan.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr milliseconds kLogOutTimeout{1'500};
constexpr std::chrono::seconds kClockHolds{5};
constexpr std::size_t kMostFindings = 20;

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
  std::string fault = "it was not asked";  // "" = every session of the span was read
};

class Verification {
 public:
  Verification(const Settings& settings, milliseconds since) : settings_(settings), since_(since) {
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
    const std::string path = settings_.daemon.state_dir + "/state.db";
    if (!std::filesystem::exists(path)) return;
    FileJournal journal = FileJournal::open_to_read(path);
    RestoredState restored;
    journal.read_rows(restored);
    for (Reading& reading : readings_) reading.known = restored.take(reading.source->id);
  }

  void read_sources() {
    std::signal(SIGPIPE, SIG_IGN);
    asio::io_context io{1};
    HttpClient http(io);
    std::mt19937_64 random{std::random_device{}()};
    const Manners manners{.held_back = HeldBack::kFails};
    std::vector<std::unique_ptr<ApiClient>> clients;
    for (std::size_t i = 0; i < readings_.size(); ++i) {
      try {
        clients.push_back(std::make_unique<ApiClient>(io, http, *readings_[i].source, random, manners));
        spawn(io, read_source(*clients.back(), i));
      } catch (const std::exception& error) {
        readings_[i].fault = error.what();
      }
    }
    io.run();
  }

  asio::awaitable<void> read_source(ApiClient& api, std::size_t number) {
    readings_[number].fault = co_await read_sessions(api, number);
    api.stop();
    co_await api.log_out(kLogOutTimeout);
  }

  // What is wrong, "" = nothing.
  asio::awaitable<std::string> read_sessions(ApiClient& api, std::size_t number) {
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
      const auto log = parser_.parse(*source.dialect, answer->body, session.id, as.key);
      if (log.has_error() || !(*log)->fault.empty())
        fault = fmt::format("session {}: {}", session.id, log.has_error() ? log.error().detail : (*log)->fault);
      if (log.has_value()) audit_.expect(std::move(as), **log, zone, source.poll.changes == Changes::kFinal);
    }
    co_return fault;
  }

  asio::awaitable<Result<std::vector<ListedSession>>> list(ApiClient& api, const SourceSettings& source) {
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

  Audit::Session what_is_known(const RestoredSource& known, const SourceSettings& source, const ListedSession& session,
                               Instant now) const {
    Audit::Session as{.source = 0, .id = session.id, .key = 0, .due_before = back(now, patience(settings_, source))};
    for (std::uint32_t generation = 0;; ++generation) {
      as.key = session_key(source.id, session.id, generation);
      if (const auto open = known.sessions.find(as.key); open != known.sessions.end()) {
        if (!same_start(open->second.digest, session.digest)) continue;
        if (open->second.phase == Phase::kSettling) as.due_before = Instant{INT64_MIN};
        return as;
      }
      const auto done = known.done.find(as.key);
      if (!done) return as;
      if (!same_start(done->digest, session.digest)) continue;
      if (done->digest == session.digest) as.due_before = Instant{INT64_MAX};
      return as;
    }
  }

  void compare() {
    audit_.forget_delivered();
    scanned_ = scan_output(std::filesystem::absolute(settings_.sink.file.path).lexically_normal().string(),
                           [this](const Delivered& event) { audit_.delivered(event); });
    counts_ = audit_.counts(readings_.size());
  }

  bool all_is_well() const {
    return std::ranges::all_of(counts_, [](const Audit::Counts& counts) { return counts.is_well(); });
  }

  // The daemon may just be about to deliver what was new when we read it.
  void look_again() {
    milliseconds wait{0};
    for (const SourceSettings& source : settings_.sources) wait = std::max(wait, patience(settings_, source));
    wait = std::min<milliseconds>(wait, std::chrono::minutes{2});
    fmt::print(stderr, "not everything is there; looking again in {} s, for the daemon runs\n", wait.count() / 1000);
    std::this_thread::sleep_for(wait);
    compare();
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
                 !fault.empty()     ? "not read: " + fault
                 : counts.is_well() ? "ok"
                                    : "not all was delivered");
    }
    for (const Audit::Finding& finding : audit_.findings(kMostFindings)) {
      std::string at = "that cannot be read";
      if (finding.log_time) append_rfc3339(at = {}, *finding.log_time);
      fmt::print("{}: source={} session={} logTime {}\n", finding.changed ? "changed since" : "missing",
                 readings_[finding.source].source->name, finding.session, at);
    }
    fmt::print("Compared with {} events in {} files of {}{}.\n", scanned_.events, scanned_.files,
               settings_.sink.file.path,
               scanned_.from_the_first ? "" : "; older files were removed: what stood in them counts as missing");
  }

  const Settings& settings_;
  const milliseconds since_;
  std::vector<Reading> readings_;
  Audit audit_;
  LogParser parser_;
  ScannedOutput scanned_;
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
    if (settings.sink.kafka || !settings.sink.keeps_state()) {
      spdlog::error("verify compares with an output file; this configuration has none (sink.type = \"file\")");
      return kNotWell;
    }
    return Verification(settings, span).run();
  });
}

}  // namespace sessionlogd
