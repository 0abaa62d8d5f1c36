// fleet_sim serve: a fleet of simulated appliances, and the daemon's configuration for it.
// fleet_sim faults: what can go wrong with it.
// fleet_sim reckon: holds the daemon's output against what that fleet served.
// fleet_sim delays: how long it took from an entry's appearance to its event.
// fleet_sim sharing: how several daemons shared that fleet.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/fleet/configuration.h"
#include "bench/fleet/delays.h"
#include "bench/fleet/fleet.h"
#include "bench/fleet/politeness.h"
#include "bench/fleet/reckon.h"
#include "bench/fleet/sharing.h"

namespace {

using namespace fleet;
namespace fs = std::filesystem;

struct ServeOptions {
  Plan plan;
  Setting setting;
  Conduct conduct;
  std::string dialect = "both";
  double duration = 15, max_lateness = 2, session_length = 0, token_lifetime = 3600, max_lifetime = 900;
  std::vector<std::string> faults, poll;
  bool response_faults = false, all_faults = false;
  std::string out;
};

struct ReckonOptions {
  std::string out;
  std::string ledger;
  std::vector<std::string> events;
  std::string limits;
  std::string format = "ecs";
  Reckoning how;
};

struct SharingOptions {
  std::string out;
  SharingLimits limits;
  std::vector<std::string> thaws, starts;
};

Nanos seconds(double count) { return static_cast<Nanos>(count * static_cast<double>(kSecond)); }

std::string ledger_path(const std::string& folder) { return folder + "/ledger.ndjson"; }
std::string visits_path(const std::string& folder) { return folder + "/visits.ndjson"; }

void write_file(const fs::path& path, const std::string& text, fs::perms perms) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  fs::permissions(path, perms);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

// Thousands of appliances are thousands of sockets.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

PollOptions read_poll_options(const ServeOptions& o) {
  PollOptions poll;
  for (const std::string& text : o.poll) poll.push_back(read_poll_option(text));
  return poll;
}

void complete(ServeOptions& o) {
  Plan& plan = o.plan;
  if (plan.seed == 0) plan.seed = std::random_device{}();
  plan.dialects = o.dialect == "aws" ? Dialects::aws : o.dialect == "azure" ? Dialects::azure : Dialects::both;
  plan.begin = now() / kMomentLength * kMomentLength;
  plan.duration = seconds(o.duration);
  plan.session_length = o.session_length > 0 ? seconds(o.session_length) : std::max(2 * kSecond, plan.duration * 2 / 5);
  plan.mix.max_lateness = seconds(o.max_lateness);
  // What is measured must not shake: no second rendering of a body, no faults.
  if (plan.all_past) plan.mix.reshuffle = 0;
  o.conduct.token_lifetime = seconds(o.token_lifetime);
  o.conduct.password = "fleet-" + std::to_string(plan.seed);
  if (o.response_faults) plan.faults = FaultMix::of_responses();
  if (o.all_faults) plan.faults = FaultMix::of_everything();
  for (const std::string& fault : o.faults) plan.faults.set(fault);
  if (plan.all_past) plan.faults = {};
  o.conduct.allowed = allowance_of(read_poll_options(o));
  o.conduct.keeps_visits = o.setting.doors > 0;
}

void write_folder(const ServeOptions& o, const Fleet& fleet) {
  const fs::path folder = fs::absolute(o.out);
  const PollOptions poll = read_poll_options(o);
  const auto readable = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_read;
  write_file(folder / "password", o.conduct.password, fs::perms::owner_read | fs::perms::owner_write);
  if (o.setting.tls) write_file(folder / "ca.pem", fleet.ca_pem(), readable);
  write_file(folder / "sessionlogd.toml",
             daemon_configuration(folder.string(), fleet.endpoints(), poll, o.conduct.username, o.setting.tls),
             readable);
}

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void write_books(const ServeOptions& o, Fleet& fleet) {
  if (o.conduct.keeps_visits) fleet.write_visits(visits_path(o.out));
  fleet.write_ledger(ledger_path(o.out));
  say("ledger written");
}

// Waits for signals and for the two times that matter; every signal is blocked in all threads and taken here.
void live(const ServeOptions& o, Fleet& fleet, const sigset_t& signals) {
  const Nanos freeze_at = o.plan.begin + o.plan.duration;
  const Nanos end_at = o.plan.begin + seconds(o.max_lifetime);
  if (fleet.frozen()) say("frozen");
  while (now() < end_at) {
    if (!fleet.frozen() && now() >= freeze_at) {
      fleet.freeze();
      say("frozen");
    }
    const Nanos wait = std::max<Nanos>((fleet.frozen() ? end_at : std::min(freeze_at, end_at)) - now(), 0);
    const timespec span{wait / kSecond, wait % kSecond};
    const int signal = sigtimedwait(&signals, nullptr, &span);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGUSR1 && !o.out.empty()) {
      write_books(o, fleet);
    }
  }
  say("stopping: --max-lifetime is over");
}

int serve(ServeOptions& o) {
  complete(o);
  raise_descriptor_limit();
  if (!o.out.empty()) fs::create_directories(o.out);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  Fleet fleet(o.plan, o.conduct, o.setting);
  if (!o.out.empty()) write_folder(o, fleet);
  fleet.start();
  say(fmt::format("ready appliances={} dead={} seed={} first={} control={}", o.plan.appliances, o.setting.dead,
                  o.plan.seed, fleet.endpoints().empty() ? "" : fleet.endpoints().front().url, fleet.control_url()));
  live(o, fleet, signals);
  if (!o.out.empty()) write_books(o, fleet);
  fleet.stop();
  return 0;
}

int list_faults() {
  static constexpr const char* kParts[] = {"--faults", "--all-faults", ""};
  fmt::print("{:<26}{:<12}{:>8}  {:<14}{}\n", "name", "share of", "default", "also in", "what happens");
  for (const Misbehaviour& m : misbehaviours()) {
    fmt::print("{:<26}{:<12}{:>8}  {:<14}{}\n", m.name, scope_name(m.scope), m.probability,
               kParts[static_cast<std::size_t>(m.part)], m.description);
  }
  return 0;
}

int judge(ReckonOptions& o) {
  o.how.format = &line_format(o.format);
  const std::string ledger = o.ledger.empty() ? ledger_path(o.out) : o.ledger;
  const std::vector<std::string> events =
      o.events.empty() ? std::vector<std::string>{o.out + "/events.ndjson"} : o.events;
  const Verdict verdict = reckon(ledger, events, o.how);
  fmt::print("{}", to_table(verdict));
  const Politeness politeness = Politeness::read(ledger);
  fmt::print("\n{}", politeness.to_table());
  for (const std::string& line : politeness.first_told()) fmt::print("{}\n", line);
  std::vector<std::string> impolite;
  if (!o.limits.empty()) impolite = politeness.violations(Limits::read(o.limits));
  for (const std::string& violation : impolite) fmt::print("impolite: {}\n", violation);
  return verdict.agrees() && impolite.empty() ? 0 : 1;
}

int judge_sharing(SharingOptions& o) {
  for (const std::string& thaw : o.thaws) o.limits.thaws.push_back(Moment::read(thaw));
  for (const std::string& start : o.starts) o.limits.starts.push_back(Moment::read(start));
  const Sharing sharing = Sharing::read(visits_path(o.out));
  fmt::print("{}", sharing.to_table());
  const std::vector<std::string> violations = sharing.violations(o.limits);
  for (const std::string& violation : violations) fmt::print("impolite: {}\n", violation);
  return violations.empty() ? 0 : 1;
}

int print_delays(const std::string& out) {
  constexpr Nanos kWarmUp = 3 * kSecond;
  fmt::print("{}", delays_as_json(delays(ledger_path(out), out + "/events.ndjson", kWarmUp)));
  return 0;
}

void add_serve_options(CLI::App& app, ServeOptions& o) {
  app.add_option("--appliances", o.plan.appliances)->capture_default_str();
  app.add_option("--sessions", o.plan.sessions, "per appliance")->capture_default_str();
  app.add_option("--entries", o.plan.entries, "per session, on average")->capture_default_str();
  app.add_option("--dialect", o.dialect)->check(CLI::IsMember({"aws", "azure", "both"}))->capture_default_str();
  app.add_option("--seed", o.plan.seed, "0: at random; printed in any case");
  app.add_option("--duration", o.duration, "seconds until the fleet freezes")->capture_default_str();
  app.add_option("--session-length", o.session_length, "seconds, the longest; default: two fifths of the duration");
  app.add_flag("--static", o.plan.all_past, "every session ended an hour and more ago; no faults");
  app.add_option("--max-lateness", o.max_lateness, "seconds an entry may be late after its session")
      ->capture_default_str();
  app.add_option("--hostile", o.plan.mix.hostile, "share of entries that are not as documented")->capture_default_str();
  app.add_option("--twins", o.plan.mix.twin, "share of entries with twins")->capture_default_str();
  app.add_option("--late", o.plan.mix.late, "share of entries that come or end late")->capture_default_str();
  app.add_option("--vanish", o.plan.mix.vanish, "share of moments an entry is away")->capture_default_str();
  app.add_option("--reshuffle", o.plan.mix.reshuffle, "share of responses in another order and spelling")
      ->capture_default_str();
  app.add_option("--fault", o.faults, "NAME, or NAME=PROBABILITY, repeatable; `fleet_sim faults` lists them");
  app.add_flag("--faults", o.response_faults, "a mix of what often goes wrong with responses");
  app.add_flag("--all-faults", o.all_faults, "a mix of everything that ends");
  app.add_option("--clock-steps", o.plan.clock_steps, "how often the clock of an appliance steps that has the fault")
      ->capture_default_str();
  app.add_option("--page-cap", o.conduct.page_cap, "rows of a listing's page at most, whatever was asked for");
  app.add_option("--dead", o.setting.dead, "appliances that never respond or refuse")->capture_default_str();
  app.add_option("--token-lifetime", o.token_lifetime, "seconds")->capture_default_str();
  app.add_option("--azure-versions", o.conduct.azure_versions, "accepted path segments")->delimiter(',');
  app.add_flag("--gzip", o.conduct.gzip, "compress for clients that accept it");
  app.add_flag("--tls", o.setting.tls);
  app.add_flag("--addresses", o.setting.many_addresses, "spread over 127.0.x.y");
  app.add_option("--doors", o.setting.doors,
                 "listen also at 127.0.1.1 to 127.0.1.N, one for each client, and count by them")
      ->check(CLI::Range(200))
      ->excludes("--addresses");
  app.add_option("--threads", o.setting.threads)->capture_default_str();
  app.add_option("--cache", o.setting.cache_bytes, "bytes of rendered bodies to keep")->capture_default_str();
  app.add_option("--poll", o.poll, "KEY=VALUE for [poll] of the configuration, repeatable");
  app.add_option("--out", o.out, "folder for configuration and ledger");
  app.add_option("--max-lifetime", o.max_lifetime, "seconds until it ends by itself")->capture_default_str();
}

void add_reckon_options(CLI::App& app, ReckonOptions& o) {
  app.add_option("--out", o.out, "folder of the fleet: ledger.ndjson, events.ndjson");
  app.add_option("--ledger", o.ledger, "instead of the folder's");
  app.add_option("--events", o.events, "output files in their order, instead of the folder's");
  app.add_option("--format", o.format, "of the output")->capture_default_str();
  app.add_flag("--exact", o.how.exact, "states in between count too: nothing was killed, no response was broken");
  app.add_flag("--gaps-allowed", o.how.gaps_allowed, "also where nothing became unreadable");
  app.add_option("--limits", o.limits, "connections=N,rate=R: fail when an appliance was treated worse");
  app.add_flag("--complete", o.how.complete, "fail when sessions were not read to their end");
}

void add_sharing_options(CLI::App& app, SharingOptions& o) {
  app.add_option("--out", o.out, "folder of the fleet: visits.ndjson")->required();
  app.add_option("--rate", o.limits.rate, "a second, of a source: fail when more than twice as much came in one");
  app.add_option("--members", o.limits.members, "fail when a source had more logins than that in 30 s");
  app.add_option(
      "--thawed", o.thaws,
      "WHO@NANOSECONDS, repeatable: fail when it came in between the owner's requests later than 3 s after that");
  app.add_option(
      "--started", o.starts,
      "WHO@NANOSECONDS, repeatable: after a stop in good order; its first login at each source then does not count");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A simulated fleet of backup appliances, and the judge of what was collected from it");
  app.require_subcommand(1);
  ServeOptions serve_options;
  ReckonOptions reckon_options;
  CLI::App* serving = app.add_subcommand("serve", "run a fleet");
  CLI::App* judging = app.add_subcommand("reckon", "compare output and ledger; exit 0 only if everything agrees");
  std::string folder;
  CLI::App* delaying = app.add_subcommand("delays", "from an entry's appearance to its event, as JSON");
  delaying->add_option("--out", folder, "folder of the fleet: ledger.ndjson, events.ndjson")->required();
  SharingOptions sharing_options;
  CLI::App* sharing = app.add_subcommand("sharing", "judge how several daemons shared a fleet with --doors");
  add_sharing_options(*sharing, sharing_options);
  CLI::App* listing = app.add_subcommand("faults", "list what can go wrong with a fleet");
  add_serve_options(*serving, serve_options);
  add_reckon_options(*judging, reckon_options);
  CLI11_PARSE(app, argc, argv);
  try {
    if (listing->parsed()) return list_faults();
    if (sharing->parsed()) return judge_sharing(sharing_options);
    if (delaying->parsed()) return print_delays(folder);
    return serving->parsed() ? serve(serve_options) : judge(reckon_options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "fleet_sim: {}\n", error.what());
    return 1;
  }
}
