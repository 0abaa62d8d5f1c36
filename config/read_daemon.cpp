#include "config/read_daemon.h"

#include "config/include_files.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using D = DaemonSettings;

Form<std::optional<AdminAddress>> admin_addresses() {
  return {[](const TomlValue& value, const ReadContext&) {
            const std::string address = text(value);
            return address.empty() ? std::nullopt : std::optional(parse_admin_address(address));
          },
          [](const std::optional<AdminAddress>& address, WrittenFor) {
            return std::optional(toml(address ? address->text() : ""));
          }};
}

Form<std::string> log_levels() {
  return words<std::string>(
      {{"trace", "trace"}, {"debug", "debug"}, {"info", "info"}, {"warn", "warn"}, {"error", "error"}});
}

}  // namespace

const Keys<DaemonSettings>& daemon_keys() {
  static const Keys<D> keys = a_key_for_each_member<D>({
      {"state_dir",
       &D::state_dir,
       texts_by(absolute_path),
       "state, locks, quarantine",
       {.default_words = "`$STATE_DIRECTORY`, else `/var/lib/sessionlogd`", .needs_restart = true}},
      {"threads",
       &D::threads,
       integers(0, 1024),
       "shards; 0 is one per core, but at most one per 64 MiB of `memory`",
       {.needs_restart = true}},
      {"log_level", &D::log_level, log_levels(), "trace, debug, info, warn, error"},
      {"include",
       &D::include,
       lists_by(include_patterns),
       "more files with `[[source]]` tables, relative to this file",
       {.default_words = "none; the shipped file has `[\"sources.d/*.toml\"]`"}},
      {"memory",
       &D::memory_bytes,
       sizes(kLeastMemoryPerThread, 1ull << 40),
       "responses, queue and batches together, not state; at least 64 MiB and four times `max_body`",
       {.needs_restart = true}},
      {"state_keep", &D::state_keep, durations(1s, 24h * 3650),
       "how long the state of a source is kept that left the configuration"},
      {"verify",
       &D::verify,
       or_word("", durations(10s, 24h * 30)),
       "how often the finished sessions of the last day (of this time, if that is longer) are read again and compared "
       "with what was delivered; 10s to 30d, `\"\"` is off",
       {.needs_restart = true}},
      {"admin",
       &D::admin,
       admin_addresses(),
       "metrics, health, status and the page: loopback, or `\"unix:/path\"`; `\"\"` is none",
       {.needs_restart = true}},
      {"metrics_per_source", &D::metrics_per_source, yes_or_no(),
       "false, for many thousand sources: counts of all together"},
  });
  return keys;
}

void read_daemon(TableReader& table, const ReadContext& context, DaemonSettings& into) {
  read_keys(table, daemon_keys(), context, into);
  if (into.threads > into.memory_bytes / kLeastMemoryPerThread) {
    table.refuse("threads", "found " + std::to_string(into.threads) + ", expected at most " +
                                std::to_string(into.memory_bytes / kLeastMemoryPerThread) + ": " +
                                in_quotes(format_size(kLeastMemoryPerThread)) + " of daemon.memory for each");
  }
  table.finish();
}

}  // namespace sessionlogd
