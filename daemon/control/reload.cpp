#include "daemon/control/reload.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "config/key.h"
#include "config/load.h"
#include "config/read_daemon.h"
#include "config/read_sink.h"
#include "core/async/task.h"
#include "daemon/service/log.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

std::size_t largest_body(const Settings& settings) {
  std::size_t largest = 0;
  for (const SourceSettings& source : settings.sources) largest = std::max(largest, source.poll.max_body_bytes);
  return largest;
}

}  // namespace

// No key of [sink] is taken over without a restart.
std::vector<std::string> keys_for_restart(const Settings& started_with, const Settings& wanted) {
  std::vector<std::string> keys;
  for (const Key<DaemonSettings>& key : daemon_keys()) {
    if (key.traits.needs_restart && !key.equal(started_with.daemon, wanted.daemon))
      keys.push_back("daemon." + std::string(key.name));
  }
  for (const std::string& key : keys_that_differ(started_with.sink, wanted.sink)) keys.push_back("sink." + key);
  return keys;
}

Task<std::string> Reload::run() {
  while (running_) co_await done_.wait();
  running_ = true;
  service_.reloading();
  reopen_();
  std::string outcome;
  const std::string& file = started_with_.file;
  auto loaded = read_again_();
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&loaded)) {
    outcome = "failed the configuration in force stays as it was:";
    for (const ConfigError& error : *errors) {
      spdlog::error("reload refused: {}", error.to_string());
      outcome += "\n" + error.to_string();
    }
  } else if (const std::size_t most = largest_body(started_with_); largest_body(std::get<Settings>(loaded)) > most) {
    outcome = fmt::format(
        "failed {}: poll.max_body is above {} bytes, for which `memory` was divided at start: that needs a restart; "
        "the configuration in force stays as it was",
        file, most);
    spdlog::error("reload refused: {}", outcome.substr(outcome.find(' ') + 1));
  } else {
    Settings wanted = std::move(std::get<Settings>(loaded));
    outcome = co_await apply(std::move(wanted));
  }
  running_ = false;
  service_.reloaded();
  done_.notify();
  co_return outcome;
}

Task<std::string> Reload::apply(Settings wanted) {
  set_log_level(wanted.daemon.log_level);
  for (const Key<DaemonSettings>& key : daemon_keys()) {
    if (!key.traits.needs_restart) key.copy(wanted.daemon, daemon_);
  }
  waits_for_restart_ = keys_for_restart(started_with_, wanted);
  loaded_ = system_now();
  for (const std::string& warning : wanted.warnings) spdlog::warn("{}", warning);
  const SourceSet::Changes changes = co_await sources_.change_to(std::move(wanted.sources), wanted.daemon.state_keep);
  while (stop_.stop_requested()) co_await done_.wait();  // nothing differs, since nothing is polled any more
  on_change_();
  std::string said =
      fmt::format("reloaded {}: {} sources added, {} changed, {} removed, {} unchanged", started_with_.file,
                  changes.added, changes.changed, changes.removed, changes.unchanged);
  if (!waits_for_restart_.empty())
    said += fmt::format("; only a restart changes {}", fmt::join(waits_for_restart_, ", "));
  spdlog::info("{}", said);
  for (const std::string& parked : changes.parked) said += "\n" + parked + "; it is tried again";
  co_return "ok " + said;
}

}  // namespace sessionlogd
