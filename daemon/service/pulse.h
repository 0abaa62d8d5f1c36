// Once a second: asks each of the daemon's loops whether it turns, and tells systemd of it.
//
//   main thread ──▶ every shard: a task ────────────▶ answered ─┐
//        │     └──▶ the committer: has it turned since? ────────┴─▶ all have ──▶ the watchdog is fed
//        └────────▶ the figures ──▶ the status
//
// It beats whenever the main loop turns, so also while the sink is recovered or waited for; whether it still does is
// for others to ask the heartbeat.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <span>

#include "core/polling/shard.h"
#include "daemon/service/heartbeat.h"
#include "daemon/service/service_notify.h"

namespace sessionlogd {

class Pulse {
 public:
  // All must outlive this; `io` is the main thread's. `status` is called there.
  Pulse(boost::asio::io_context& io, ServiceNotify& service, std::function<std::string(SteadyTime)> status);

  // Beats from now on, as long as the main loop turns.
  void start();

  // Once, before others look at the heartbeat. `have_turned`: whether all that commits has turned since that was so
  // last.
  void know(std::span<const std::unique_ptr<Shard>> shards, std::function<bool()> have_turned);

  // Once, when those run. The shards' threads must end before this does.
  void watch() { watches_ = true; }

  // What start() does again and again.
  void beat(SteadyTime now);

  // For any thread, once know() was called; loop i is that of shard i.
  Heartbeat& heartbeat() { return heartbeat_; }

 private:
  void ask(SteadyTime now);
  void say_silent(const std::vector<Heartbeat::Silent>& silent);

  ServiceNotify& service_;
  const std::function<std::string(SteadyTime)> status_;
  const std::chrono::microseconds interval_;
  boost::asio::steady_timer timer_;

  Heartbeat heartbeat_;
  std::span<const std::unique_ptr<Shard>> shards_;  // loops 0 and up
  std::function<bool()> have_turned_;
  bool watches_ = false;
  Heartbeat::Loop committer_loop_ = 0, main_loop_ = 0;
  bool silent_said_ = false;
};

}  // namespace sessionlogd
