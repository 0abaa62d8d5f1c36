// Validates a configuration; with --connect also tries every source: log in, list, read one session.
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <memory>
#include <random>

#include "core/api_client.h"
#include "core/discovery.h"
#include "core/log_parser.h"
#include "core/printable.h"
#include "core/spawn.h"
#include "core/task.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/with_settings.h"
#include "sinks/kafka_check.h"
#include "sinks/make_sink.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kMostForAll{60};
constexpr std::chrono::milliseconds kLogOutTimeout{1'500};

// One row of the table.
struct Finding {
  const SourceSettings* source;
  std::string sessions = "-", entries = "-";
  std::string fault = "no answer in time";  // "" = well
};

Task<Result<std::size_t>> read_one_log(ApiClient& api, const SourceSettings& source, const ListedSession& session) {
  std::string target = path_of_session(source.dialect->log.path, session.id);
  Result<HttpAnswer> answer = co_await api.get(std::move(target));
  if (answer.has_error()) co_return answer.error();
  LogParser parser;
  const auto log = parser.parse(*source.dialect, answer->body, session.id, session_key(source.id, session.id));
  if (log.has_error()) co_return log.error();
  if (!(*log)->fault.empty()) co_return Error(ErrorKind::kBadAnswer, (*log)->fault);
  co_return (*log)->entries.size();
}

Task<Result<std::vector<ListedSession>>> list_sessions(ApiClient& api, const SourceSettings& source) {
  Discovery discovery(api, source);
  if (!source.sessions.empty()) {
    std::string id = source.sessions.front();
    Result<ListedSession> asked = co_await discovery.ask(std::move(id));
    if (asked.has_error()) co_return asked.error();
    co_return std::vector<ListedSession>{std::move(*asked)};
  }
  std::optional<Instant> from;
  if (source.poll.lookback) from = add_nanoseconds(api.now(), -std::chrono::nanoseconds(*source.poll.lookback).count());
  Result<Listing> listing = co_await discovery.list(from);
  if (listing.has_error()) co_return listing.error();
  co_return std::move(listing->sessions);
}

// What is wrong with the source, "" = nothing.
Task<std::string> find_fault(ApiClient& api, Finding& finding) {
  const SourceSettings& source = *finding.source;
  const Result<std::vector<ListedSession>> sessions = co_await list_sessions(api, source);
  if (sessions.has_error()) co_return sessions.error().detail;
  finding.sessions = std::to_string(sessions->size());
  if (sessions->empty()) co_return std::string();
  const Result<std::size_t> entries = co_await read_one_log(api, source, sessions->back());
  if (entries.has_error()) co_return entries.error().detail;
  finding.entries = std::to_string(*entries);
  co_return std::string();
}

Task<void> try_source(ApiClient& api, Finding& finding, std::size_t& trying) {
  finding.fault = co_await find_fault(api, finding);
  co_await api.log_out(kLogOutTimeout);
  --trying;
}

void print_table(const std::vector<Finding>& findings) {
  std::size_t name = 6, dialect = 7;
  for (const Finding& finding : findings) {
    name = std::max(name, finding.source->name.size());
    dialect = std::max(dialect, finding.source->dialect->name.size());
  }
  fmt::print("{:<{}}  {:<{}}  {:>8}  {:>7}  {}\n", "SOURCE", name, "DIALECT", dialect, "SESSIONS", "ENTRIES", "RESULT");
  for (const Finding& finding : findings) {
    fmt::print("{:<{}}  {:<{}}  {:>8}  {:>7}  {}\n", finding.source->name, name, finding.source->dialect->name, dialect,
               finding.sessions, finding.entries, finding.fault.empty() ? "ok" : printable(finding.fault));
  }
}

// One source after the other would take a time-out each where a site is down, so all are tried at once.
int try_all(const Settings& settings) {
  std::signal(SIGPIPE, SIG_IGN);
  std::size_t trying = 0;
  asio::io_context io{1};
  HttpClient http(io);
  std::mt19937_64 random{std::random_device{}()};
  const Manners manners{.held_back = HeldBack::kFails};
  std::vector<Finding> findings;
  std::vector<std::unique_ptr<ApiClient>> clients;
  for (const SourceSettings& source : settings.sources) findings.push_back({.source = &source});
  for (Finding& finding : findings) {
    try {
      clients.push_back(std::make_unique<ApiClient>(io, http, *finding.source, random, manners));
      spawn(io, try_source(*clients.back(), finding, trying));
      ++trying;
    } catch (const std::exception& error) {
      finding.fault = error.what();
    }
  }
  asio::steady_timer deadline(io, kMostForAll);
  deadline.async_wait([&](const boost::system::error_code& error) {
    if (!error) io.stop();
  });
  while (trying > 0 && io.run_one() > 0) {
  }
  print_table(findings);
  return std::ranges::all_of(findings, [](const Finding& finding) { return finding.fault.empty(); }) ? kWell : kNotWell;
}

// The sink's part, when it has one. False: it would not work.
bool try_sink(const Settings& settings) {
  if (!settings.sink.kafka) return true;
  bool well = true;
  fmt::print("\n");
  for (const SinkFinding& finding : check_kafka(*settings.sink.kafka)) {
    const char* verdict = finding.fault.empty() ? "ok" : finding.warning ? "warning: " : "";
    fmt::print("{}: {}  {}{}\n", finding.what, printable(finding.said), verdict, printable(finding.fault));
    well = well && (finding.fault.empty() || finding.warning);
  }
  return well;
}

}  // namespace

int check(const std::string& config_file, bool connect) {
  return with_settings(config_file, [&](const Settings& settings) {
    for (const std::string& warning : settings.warnings) spdlog::warn("{}", warning);
    (void)make_sink(settings);  // what only its library can judge
    fmt::print("{}: the configuration is right, {} sources\n", config_file, settings.sources.size());
    if (!connect) return kWell;
    const int sources = try_all(settings);
    return try_sink(settings) ? sources : kNotWell;
  });
}

}  // namespace sessionlogd
