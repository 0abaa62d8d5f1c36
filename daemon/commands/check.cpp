// Validates a configuration; with --connect also tries every source: logs in, lists, reads one log, and shows what
// would be delivered of it.
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/api_client.h"
#include "core/discovery.h"
#include "core/printable.h"
#include "core/task.h"
#include "daemon/commands/ask_sources.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/source_proof.h"
#include "daemon/commands/with_settings.h"
#include "daemon/host_name.h"
#include "daemon/version.h"
#include "sinks/kafka_check.h"
#include "sinks/make_sink.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kMostForAll{60};
constexpr std::size_t kMostOfAnEvent = 4'096;  // that is shown

// What is known of one source.
struct Finding {
  Finding(const Settings& settings, const SourceSettings& of)
      : source(of), encoder(make_encoder(of, settings.sink, host_name(), kVersion)), proof(of, *encoder) {}

  const SourceSettings& source;
  std::unique_ptr<Encoder> encoder;
  SourceProof proof;
  std::string fault;    // "" = well
  bool echoes = false;  // what it says holds a secret of ours: nothing of it is shown
};

Task<Result<void>> list(Discovery& discovery, ListingWalk walk, Discovery::Of of, SourceProof& proof,
                        std::string& missing) {
  while (!walk.ended()) {
    if (proof.has_enough_rows()) co_return Result<void>();
    const Result<SessionPage> page = co_await discovery.next_page(walk, of, Discovery::kShareOfRate);
    if (page.has_error()) co_return page.error();
    proof.listed(*page);
  }
  if (of == Discovery::Of::kWindow) missing = walk.missing();
  co_return Result<void>();
}

Task<Result<void>> list_sessions(ApiClient& api, const SourceSettings& source, SourceProof& proof) {
  Discovery discovery(api, source);
  if (!source.sessions.empty()) {
    std::string id = source.sessions.front();
    const Result<ListedSession> asked = co_await discovery.ask(std::move(id));
    if (asked.has_error()) co_return asked.error();
    proof.listed(*asked);
    proof.listing_ended("");
    co_return Result<void>();
  }
  std::optional<Instant> from;
  if (source.poll.lookback) from = add_nanoseconds(api.now(), -std::chrono::nanoseconds(*source.poll.lookback).count());
  std::string missing;
  ListingWalk window = discovery.walk({from, std::nullopt});
  Result<void> listed = co_await list(discovery, std::move(window), Discovery::Of::kWindow, proof, missing);
  // Those that run may have begun before.
  if (listed.has_value() && from && discovery.can_list_running()) {
    ListingWalk running = discovery.walk({});
    listed = co_await list(discovery, std::move(running), Discovery::Of::kRunning, proof, missing);
  }
  if (listed.has_value()) proof.listing_ended(missing);
  co_return listed;
}

// What a person can do about it, where the words of the fault do not say it.
std::string with_remedy(const Error& error) {
  const int status = error.http_status;
  const char* remedy = status == 401 || status == 403 ? "; give it the right to read sessions and logs"
                       : status == 400 || status == 404 || status == 406 ? "; is api_version right?"
                       : status == 429                                   ? "; it wants to be left alone: try later"
                       : error.kind == ErrorKind::kBadAnswer
                           ? "; is it the appliance that answers at this url, and does the dialect fit it?"
                           : "";
  return error.detail + remedy;
}

// What goes wrong with the requests; "" = nothing.
Task<std::string> read_source(ApiClient& api, Finding& finding) {
  SourceProof& proof = finding.proof;
  const Result<void> listed = co_await list_sessions(api, finding.source, proof);
  if (listed.has_error()) co_return with_remedy(listed.error());
  for (const ListedSession& session : proof.to_read()) {
    std::string target = path_of_session(finding.source.dialect->log.path, session.id);
    const Result<HttpAnswer> log = co_await api.get(std::move(target));
    if (log.has_error()) co_return with_remedy(log.error());
    if (proof.read(session, log->body)) break;
  }
  co_return std::string();
}

// What is wrong with the source, "" = nothing.
Task<std::string> try_source(ApiClient& api, Finding& finding) {
  std::string fault = co_await read_source(api, finding);
  SourceProof& proof = finding.proof;
  if (fault.empty()) {
    proof.conclude(api.now());
    fault = proof.fault();
  }
  std::string said = fault;
  for (const std::string& note : proof.notes()) said.append("\n").append(note);
  said.append("\n").append(proof.first_event().substr(0, kMostOfAnEvent));
  finding.echoes = api.echoes_secret(said);
  if (finding.echoes) co_return "what it says holds a password or token of ours: nothing of it is shown";
  co_return fault;
}

std::string count_or_dash(std::size_t count, bool is_known) { return is_known ? std::to_string(count) : "-"; }

void print_table(const std::deque<Finding>& findings) {
  std::size_t name = 6, dialect = 7;
  for (const Finding& finding : findings) {
    name = std::max(name, finding.source.name.size());
    dialect = std::max(dialect, finding.source.dialect->name.size());
  }
  fmt::print("{:<{}}  {:<{}}  {:>8}  {:>7}  {}\n", "SOURCE", name, "DIALECT", dialect, "SESSIONS", "ENTRIES", "RESULT");
  for (const Finding& finding : findings) {
    const SourceProof& proof = finding.proof;
    fmt::print("{:<{}}  {:<{}}  {:>8}  {:>7}  {}\n", finding.source.name, name, finding.source.dialect->name, dialect,
               count_or_dash(proof.sessions(), proof.was_listed()), count_or_dash(proof.entries(), proof.was_read()),
               !finding.fault.empty()   ? printable(finding.fault)
               : !proof.notes().empty() ? "ok, but see above"
                                        : "ok");
  }
}

// The first event and what is to be said beside it, for each source that got so far.
void print_proof(const Finding& finding) {
  const SourceProof& proof = finding.proof;
  if (finding.echoes || (proof.first_event().empty() && proof.notes().empty())) return;
  fmt::print("{}:\n", finding.source.name);
  for (const std::string& note : proof.notes()) fmt::print("  note: {}\n", printable(note));
  const std::string& event = proof.first_event();
  if (!event.empty())
    fmt::print("  first event, as it would be delivered:\n  {}\n", printable(event.substr(0, kMostOfAnEvent)));
  if (event.size() > kMostOfAnEvent) fmt::print("  ... {} bytes in all\n", event.size());
  fmt::print("\n");
}

int try_all(const Settings& settings) {
  std::deque<Finding> findings;
  for (const SourceSettings& source : settings.sources) findings.emplace_back(settings, source);
  const std::vector<std::string> faults = ask_sources(
      settings, [&](ApiClient& api, std::size_t number) { return try_source(api, findings[number]); }, kMostForAll);
  for (std::size_t i = 0; i < faults.size(); ++i) findings[i].fault = faults[i];
  // What counts stands last: of many sources the rest has scrolled away.
  for (const Finding& finding : findings) print_proof(finding);
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
    fmt::print("\n");
    const int sources = try_all(settings);
    return try_sink(settings) ? sources : kNotWell;
  });
}

}  // namespace sessionlogd
