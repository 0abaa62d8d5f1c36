// Makes the running daemon follow its configuration file, as far as that goes without a restart: sources, [poll], the
// keys of [daemon] that do not need one (config/read_daemon.cpp), and every secret and certificate file that is named.
// All of it, or, when the file is wrong, nothing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/load.h"
#include "config/settings.h"
#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/base/timestamp.h"
#include "daemon/control/source_set.h"
#include "daemon/service/service_notify.h"

namespace sessionlogd {

// The keys in which two configurations differ and that are read at start only: "daemon.threads", "sink.path".
std::vector<std::string> keys_for_restart(const Settings& started_with, const Settings& wanted);

class Reload {
 public:
  using ReadAgain = std::function<std::variant<Settings, std::vector<ConfigError>>()>;

  // All must outlive this. On the main thread, where `on_change` is called when another configuration is in force, and
  // `reopen` since the output may have been moved away.
  // `stop` is that of the daemon.
  Reload(boost::asio::io_context& main, const Settings& started_with, ReadAgain read_again, SourceSet& sources,
         std::function<void()> reopen, ServiceNotify& service, std::function<void()> on_change, std::stop_token stop)
      : started_with_(started_with),
        read_again_(std::move(read_again)),
        sources_(sources),
        reopen_(std::move(reopen)),
        service_(service),
        on_change_(std::move(on_change)),
        stop_(std::move(stop)),
        daemon_(started_with.daemon),
        done_(main) {}

  // Reads the file again and says in the log what came of it; the output is reopened in any case, if it was moved
  // away. Returns "ok ..." or "failed ...", perhaps of several lines, when it is done. One at a time, others wait.
  // When the daemon stops before it is done, it does not return: the end is the answer.
  Task<std::string> run();

  // When the configuration in force was read.
  Instant loaded() const { return loaded_; }

  // [daemon] as it is in force, and the keys that say something else in the file and wait for a restart.
  const DaemonSettings& daemon() const { return daemon_; }
  const std::vector<std::string>& waits_for_restart() const { return waits_for_restart_; }

 private:
  Task<std::string> apply(Settings wanted);

  const Settings& started_with_;
  const ReadAgain read_again_;
  SourceSet& sources_;
  const std::function<void()> reopen_;
  ServiceNotify& service_;
  const std::function<void()> on_change_;
  const std::stop_token stop_;
  DaemonSettings daemon_;
  Instant loaded_ = system_now();
  std::vector<std::string> waits_for_restart_;
  bool running_ = false;
  Signal done_;
};

}  // namespace sessionlogd
