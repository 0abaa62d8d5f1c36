// Validates a configuration; with --connect also tries every source: logs in, lists, reads one log, and shows what
// would be delivered of it.
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/api_client.h"
#include "core/async/task.h"
#include "core/base/host_name.h"
#include "core/base/printable.h"
#include "core/polling/discovery.h"
#include "daemon/commands/ask_sources.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/source_proof.h"
#include "daemon/commands/with_settings.h"
#include "daemon/service/version.h"
#include "sinks/make_sink.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kMostForAll{60}, kMostForGroup{5};
constexpr std::size_t kMostShown = 4'096;  // bytes of one text that a source says

// What is known of one source. What it says may hold a secret of ours: a text of it is shown only once it was looked
// at, which comes last, and after which nothing is added.
class Finding {
 public:
  Finding(const Settings& settings, const SourceSettings& of)
      : source_(of), encoder_(make_encoder(of, settings.sink, host_name(), kVersion)), proof_(of, *encoder_) {}

  // Returns what is wrong with the source, "" = nothing.
  Task<std::string> prove(ApiClient& api);

  const SourceSettings& source() const { return source_; }
  // How many; "-" = it did not come so far.
  std::string sessions() const { return proof_.was_listed() ? std::to_string(proof_.sessions()) : "-"; }
  std::string entries() const { return proof_.was_read() ? std::to_string(proof_.entries()) : "-"; }

  // Both may be shown as they are; empty until they were looked at.
  const std::vector<std::string>& notes() const { return notes_; }
  const std::string& first_event() const { return first_event_; }

 private:
  const SourceSettings& source_;
  std::unique_ptr<Encoder> encoder_;
  SourceProof proof_;  // its texts are not looked at
  std::vector<std::string> notes_;
  std::string first_event_;
};

Task<Result<void>> list(Discovery& discovery, ListingWalk walk, Discovery::Of of, SourceProof& proof,
                        std::string& missing) {
  while (!walk.ended()) {
    if (proof.has_enough_rows()) co_return Result<void>();
    const Result<SessionPage> page = co_await discovery.next_page(walk, of, Discovery::kShareOfRate);
    if (page.has_error()) co_return page.error();
    proof.listed(*page);
  }
  if (of != Discovery::Of::kWindow) co_return Result<void>();
  missing = walk.missing();
  if (const auto& lacking = walk.short_of_total()) proof.short_of_total(lacking->shown, lacking->total);
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

enum class AskedFor { kListing, kLog };

// What a person can do about it; "" where the words of the fault say it.
std::string remedy_for(const Error& error, AskedFor asked, const Dialect& dialect) {
  const int status = error.http_status;
  // What came of a login has no status of its own here.
  const bool failed_by_itself = status / 100 == 5 || error.detail.starts_with("token request: HTTP 5");
  if (status == 401 || status == 403) return "; give it the right to read sessions and logs";
  if (status == 429) return "; it wants to be left alone: try later";
  if (status / 100 == 3) return fmt::format("; {}", error.remedy);
  if (error.kind == ErrorKind::kTryLater && failed_by_itself)
    return "; it failed by itself: try later, or look into its own log";
  if (error.detail.find("api_version?") != std::string::npos) return "";
  // Where the listing came, the version is right.
  if (asked == AskedFor::kLog && (status == 404 || status == 410)) return "; this log is gone";
  if (status == 400 || status == 404 || status == 406 || status == 501)
    return asked == AskedFor::kListing ? "; is api_version right?"
                                       : fmt::format("; does log.path of dialect {} fit it?", dialect.name);
  if (error.kind == ErrorKind::kBadResponse)
    return "; is it the appliance that responds at this url, and does the dialect fit it?";
  return "";
}

// Another log may be well.
bool is_about_one_log(const Error& error) { return error.http_status >= 400 && error.http_status != 429; }

// What goes wrong with the requests; "" = nothing.
Task<std::string> read_source(ApiClient& api, const SourceSettings& source, SourceProof& proof) {
  const Dialect& dialect = *source.dialect;
  const Result<void> listed = co_await list_sessions(api, source, proof);
  if (listed.has_error()) co_return listed.error().detail + remedy_for(listed.error(), AskedFor::kListing, dialect);
  for (const ListedSession& session : proof.to_read()) {
    std::string target = path_of_session(dialect.log.path, session.id);
    const Result<HttpResponse> log = co_await api.get(std::move(target));
    if (log.has_value()) {
      if (proof.read(session, log->body)) break;
      continue;
    }
    std::string why = log.error().detail + remedy_for(log.error(), AskedFor::kLog, dialect);
    if (!is_about_one_log(log.error())) co_return why;
    proof.refused(std::move(why));
  }
  co_return std::string();
}

std::string begin_of(const std::string& text) {
  if (text.size() <= kMostShown) return text;
  return fmt::format("{} ... {} bytes in all", std::string_view(text).substr(0, kMostShown), text.size());
}

Task<std::string> Finding::prove(ApiClient& api) {
  std::string fault = co_await read_source(api, source_, proof_);
  if (fault.empty()) {
    proof_.conclude(api.now());
    fault = proof_.fault();
  }
  // A fault of a request has been looked at where it was made.
  const auto echoes = [&](const std::string& text) { return api.echoes_secret(text); };
  if (std::ranges::any_of(proof_.quoted(), echoes))
    co_return "what it says holds a password or token of ours: nothing of it is shown";
  std::ranges::transform(proof_.notes(), std::back_inserter(notes_), begin_of);
  first_event_ = begin_of(proof_.first_event());
  co_return begin_of(fault);
}

void print_table(const std::deque<Finding>& findings, const std::vector<std::string>& faults) {
  std::size_t name = 6, dialect = 7;
  for (const Finding& finding : findings) {
    name = std::max(name, finding.source().name.size());
    dialect = std::max(dialect, finding.source().dialect->name.size());
  }
  fmt::print("{:<{}}  {:<{}}  {:>8}  {:>7}  {}\n", "SOURCE", name, "DIALECT", dialect, "SESSIONS", "ENTRIES", "RESULT");
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    fmt::print("{:<{}}  {:<{}}  {:>8}  {:>7}  {}\n", finding.source().name, name, finding.source().dialect->name,
               dialect, finding.sessions(), finding.entries(),
               !faults[i].empty()         ? printable(faults[i])
               : !finding.notes().empty() ? "ok, but see above"
                                          : "ok");
  }
}

// The first event and what is to be said beside it, for each source that got so far.
void print_proof(const Finding& finding) {
  if (finding.first_event().empty() && finding.notes().empty()) return;
  fmt::print("{}:\n", finding.source().name);
  for (const std::string& note : finding.notes()) fmt::print("  note: {}\n", printable(note));
  if (!finding.first_event().empty())
    fmt::print("  first event, as it would be delivered:\n  {}\n", printable(finding.first_event()));
  fmt::print("\n");
}

int try_all(const Settings& settings) {
  std::deque<Finding> findings;
  for (const SourceSettings& source : settings.sources) findings.emplace_back(settings, source);
  const std::vector<std::string> faults = ask_sources(
      settings, [&](ApiClient& api, std::size_t number) { return findings[number].prove(api); }, kMostForAll);
  // What counts stands last: of many sources the rest has scrolled away.
  for (const Finding& finding : findings) print_proof(finding);
  print_table(findings, faults);
  return std::ranges::all_of(faults, &std::string::empty) ? kWell : kNotWell;
}

// The sink's part, when it has one. False: it would not work.
bool try_sink(const SinkActs& sink) {
  const std::vector<SinkFinding> findings = sink.check_connection();
  bool well = true;
  if (!findings.empty()) fmt::print("\n");
  for (const SinkFinding& finding : findings) {
    const char* verdict = finding.fault.empty() ? "ok" : finding.warning ? "warning: " : "";
    fmt::print("{}: {}  {}{}\n", finding.what, printable(finding.said), verdict, printable(finding.fault));
    well = well && (finding.fault.empty() || finding.warning);
  }
  return well;
}

// Says who is in the group now. False: Kafka does not say.
bool describe_group(const Settings& settings) {
  FreezeGuard guard(FreezeGuard::now());
  const std::unique_ptr<LaneGroup> group = make_group(settings, guard);
  if (group == nullptr) return true;
  const Result<std::vector<GroupMember>> members = group->members(kMostForGroup);
  if (members.has_error()) {
    fmt::print("group {}: -  {}\n", group->name(), printable(members.error().detail));
    return false;
  }
  std::string said = members->empty() ? "no members now" : "";
  std::size_t idle = 0;
  for (const GroupMember& member : *members) {
    idle += member.partitions.empty() ? 1 : 0;
    said += fmt::format("{}{} with {} partitions", said.empty() ? "" : ", ", member.host, member.partitions.size());
  }
  fmt::print("group {}: {}  ok\n", group->name(), printable(said));
  if (idle > 0) {
    fmt::print("group {}: {} of {} members  warning: have no partition: the state topic has too few for them\n",
               group->name(), idle, members->size());
  }
  return true;
}

// What only their libraries can judge.
void make_sink_or_group(const SinkActs& sink, const Settings& settings) {
  FreezeGuard guard(FreezeGuard::now());
  if (make_group(settings, guard) == nullptr) (void)sink.make({});
}

}  // namespace

int check(const std::string& config_file, bool connect) {
  return with_settings(config_file, [&](const Settings& settings) {
    for (const std::string& warning : settings.warnings) spdlog::warn("{}", warning);
    const std::unique_ptr<SinkActs> sink = acts_of(settings);
    make_sink_or_group(*sink, settings);
    fmt::print("{}: the configuration is right, {} sources\n", config_file, settings.sources.size());
    if (!connect) return kWell;
    fmt::print("\n");
    const int sources = try_all(settings);
    const bool sink_is_well = try_sink(*sink), group_is_well = describe_group(settings);
    return sink_is_well && group_is_well ? sources : kNotWell;
  });
}

}  // namespace sessionlogd
