// The command line. Each command stands in daemon/commands/.
#include <fmt/core.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <string>

#include "daemon/commands/commands.h"
#include "daemon/service/version.h"

namespace {

constexpr const char* kDefaultConfig = "/etc/sessionlogd/sessionlogd.toml";

void add_config(CLI::App& command, std::string& config) {
  command.add_option("-c,--config", config, "the configuration")->capture_default_str()->type_name("FILE");
}

// Those of commands.h. The man page is made of this, too.
constexpr const char* kExitStatus =
    "Exit status:\n"
    "  0                           well\n"
    "  1                           failed, or something is not well\n"
    "  2                           wrong usage\n"
    "  3                           no daemon is running\n"
    "  78                          wrong configuration, or state and output that do not belong together\n"
    "  79                          another daemon with the same transactional id has taken over";

// No core dump may hold a secret, wherever core_pattern sends it: a limit of zero does not stop dumps that are piped to
// a program. It also keeps others of the same user from reading our memory. The price: debuggers must be root's.
void keep_memory_private() { ::prctl(PR_SET_DUMPABLE, 0); }

}  // namespace

int main(int argc, char** argv) {
  using namespace sessionlogd;
  keep_memory_private();
  std::string config = kDefaultConfig, dialect, source, session;
  BackfillOptions backfill_options;
  bool connect = false, json = false, watch = false;

  CLI::App app("Collects the session logs of a fleet of backup appliances, each entry exactly once.", "sessionlogd");
  app.set_version_flag("--version", fmt::format("sessionlogd {}", kVersion));
  app.require_subcommand(1);

  CLI::App* run_command = app.add_subcommand("run", "the daemon, in the foreground");
  add_config(*run_command, config);
  CLI::App* collect_command =
      app.add_subcommand("collect", "one pass: discover, read every session that is due, commit, exit");
  add_config(*collect_command, config);
  CLI::App* check_command = app.add_subcommand("check", "validate the configuration");
  add_config(*check_command, config);
  check_command->add_flag("--connect", connect, "log in to every source, list its sessions and read one of them");
  CLI::App* reload_command =
      app.add_subcommand("reload", "make the running daemon read its configuration again, and wait for the outcome");
  add_config(*reload_command, config);
  CLI::App* status_command = app.add_subcommand("status", "how the running daemon and its sources are doing");
  add_config(*status_command, config);
  CLI::Option* as_json = status_command->add_flag("--json", json, "as the daemon says it");
  status_command->add_flag("--watch", watch, "draw it again and again")->excludes(as_json);
  CLI::App* backfill_command = app.add_subcommand(
      "backfill", "make the running daemon take up sessions that it left alone, or leave some alone");
  add_config(*backfill_command, config);
  backfill_command->add_option("SOURCE", source, "its name")->required();
  backfill_command
      ->add_option("--since", backfill_options.since,
                   "what was left alone and began then or later: a day, a time of RFC 3339, or how long ago (7d)")
      ->type_name("TIME");
  backfill_command->add_flag("--again", backfill_options.again,
                             "with --since: also what a version before had been done with, delivered or not");
  backfill_command
      ->add_option("--none-before", backfill_options.none_before,
                   "leave alone what only a sweep brought up, was not read yet, and began before")
      ->type_name("TIME");
  CLI::App* state_command = app.add_subcommand("state", "what is remembered of the sources");
  state_command->require_subcommand(1);
  CLI::App* show_command = state_command->add_subcommand("show", "print it, also while the daemon runs");
  add_config(*show_command, config);
  show_command->add_option("SOURCE", source, "the sessions of this source only");
  show_command->add_option("SESSION", session, "this session only");
  CLI::App* rebuild_command =
      state_command->add_subcommand("rebuild", "make it anew from the output, as far as that reaches");
  add_config(*rebuild_command, config);
  CLI::App* init_command = state_command->add_subcommand(
      "init", "forget it: what the sources still hold within lookback is delivered again");
  add_config(*init_command, config);
  CLI::App* verify_command = app.add_subcommand("verify", "compare what the sources hold with what was delivered");
  add_config(*verify_command, config);
  std::string span = "24h";
  verify_command->add_option("--since", span, "how far back sessions are read again")
      ->capture_default_str()
      ->type_name("DURATION");
  CLI::App* dialects_command =
      app.add_subcommand("dialects", "the built-in dialects, or one of them as TOML to start from");
  dialects_command->add_option("NAME", dialect, "the dialect to print");

  app.footer(kExitStatus);  // last, or every command would have it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kWell : kWrongUsage;
  }
  if (run_command->parsed()) return run(config);
  if (collect_command->parsed()) return collect(config);
  if (check_command->parsed()) return check(config, connect);
  if (reload_command->parsed()) return reload(config);
  if (status_command->parsed())
    return status(config, json ? StatusForm::kJson : watch ? StatusForm::kWatch : StatusForm::kTable);
  if (backfill_command->parsed()) return backfill(config, source, backfill_options);
  if (show_command->parsed()) return state_show(config, source, session);
  if (rebuild_command->parsed()) return state_rebuild(config);
  if (verify_command->parsed()) return verify(config, span);
  if (init_command->parsed()) return state_init(config);
  return dialects(dialect);
}
