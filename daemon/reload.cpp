#include "daemon/reload.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "config/load.h"
#include "core/task.h"
#include "daemon/log.h"
#include "sinks/formats.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

std::size_t largest_body(const Settings& settings) {
  std::size_t largest = 0;
  for (const SourceSettings& source : settings.sources) largest = std::max(largest, source.poll.max_body_bytes);
  return largest;
}

}  // namespace

std::vector<std::string> keys_for_restart(const Settings& started_with, const Settings& wanted) {
  std::vector<std::string> keys;
  const auto look = [&](const char* key, const auto& was, const auto& is) {
    if (!(was == is)) keys.emplace_back(key);
  };
  const DaemonSettings &was = started_with.daemon, &is = wanted.daemon;
  look("daemon.state_dir", was.state_dir, is.state_dir);
  look("daemon.threads", was.threads, is.threads);
  look("daemon.admin", was.admin, is.admin);
  look("daemon.memory", was.memory_bytes, is.memory_bytes);
  look("daemon.verify", was.verify, is.verify);
  const SinkSettings &from = started_with.sink, &to = wanted.sink;
  look("sink.format", from.format, to.format);
  look("sink.commit_interval", from.commit_interval, to.commit_interval);
  look("sink.commit_bytes", from.commit_bytes, to.commit_bytes);
  if (from.kafka.has_value() != to.kafka.has_value()) {
    keys.emplace_back("sink.type");
  } else if (from.kafka) {
    look("sink.brokers", from.kafka->brokers, to.kafka->brokers);
    look("sink.topic", from.kafka->topic, to.kafka->topic);
    look("sink.state_topic", from.kafka->state_topic, to.kafka->state_topic);
    look("sink.transactional_id", from.kafka->transactional_id, to.kafka->transactional_id);
    look("sink.delivery", from.kafka->delivery, to.kafka->delivery);
    look("sink.properties", from.kafka->properties, to.kafka->properties);
  } else {
    look("sink.path", from.file.path, to.file.path);
    look("sink.mode", from.file.mode, to.file.mode);
    look("sink.group", from.file.group, to.file.group);
    look("sink.rotate", from.file.rotate, to.file.rotate);
  }
  return keys;
}

Task<std::string> Reload::run() {
  while (running_) co_await done_.wait();
  running_ = true;
  service_.reloading();
  sink_.reopen();
  const std::string& file = started_with_.file;
  std::string outcome;
  auto loaded = load_settings(file, format_names());
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
  daemon_.log_level = wanted.daemon.log_level;
  daemon_.state_keep = wanted.daemon.state_keep;
  daemon_.metrics_per_source = wanted.daemon.metrics_per_source;
  waits_for_restart_ = keys_for_restart(started_with_, wanted);
  loaded_ = system_now();
  for (const std::string& warning : wanted.warnings) spdlog::warn("{}", warning);
  const SourceSet::Changes changes = co_await sources_.change_to(std::move(wanted.sources), wanted.daemon.state_keep);
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
