#include "daemon/service/pulse.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds kAtMost = 1s;
// A shard reads a response of the largest size in some seconds.
constexpr std::chrono::milliseconds kShardPatience = 30s;
// It reads a configuration of many thousand sources in some seconds.
constexpr std::chrono::milliseconds kMainPatience = 30s;
// One commit is one turn. A slow broker takes minutes for it and a disk that hangs as long as it hangs: that is waiting
// for a sink, and only what no sink takes is being stuck.
constexpr std::chrono::milliseconds kCommitterPatience = 15min;

}  // namespace

Pulse::Pulse(boost::asio::io_context& io, ServiceNotify& service, std::function<std::string(SteadyTime)> status)
    : service_(service),
      status_(std::move(status)),
      interval_(std::min(service.watchdog().value_or(4 * kAtMost) / 4, kAtMost)),
      timer_(io) {}

void Pulse::start() {
  beat(SteadyClock::now());
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) start();
  });
}

void Pulse::know(std::span<const std::unique_ptr<Shard>> shards, std::function<bool()> have_turned) {
  for (std::size_t i = 0; i < shards.size(); ++i) heartbeat_.add(fmt::format("shard {}", i), kShardPatience);
  committer_loop_ = heartbeat_.add("committer", kCommitterPatience);
  main_loop_ = heartbeat_.add("main thread", kMainPatience);
  shards_ = shards;
  have_turned_ = std::move(have_turned);
}

void Pulse::beat(SteadyTime now) {
  if (watches_) ask(now);
  const std::vector<Heartbeat::Silent> silent = heartbeat_.silent(now);
  say_silent(silent);
  if (silent.empty()) service_.alive();
  service_.status(status_(now));
}

void Pulse::ask(SteadyTime now) {
  for (std::size_t loop = 0; loop < shards_.size(); ++loop) {
    if (heartbeat_.ask(loop, now)) shards_[loop]->post([this, loop] { heartbeat_.answered(loop); });
  }
  if (have_turned_()) heartbeat_.answered(committer_loop_);
  heartbeat_.ask(committer_loop_, now);
  // That we are here again is the answer.
  heartbeat_.answered(main_loop_);
  heartbeat_.ask(main_loop_, now);
}

void Pulse::say_silent(const std::vector<Heartbeat::Silent>& silent) {
  const bool was_said = std::exchange(silent_said_, !silent.empty());
  if (silent.empty() && was_said) spdlog::info("every loop answers again");
  if (was_said) return;
  for (const Heartbeat::Silent& loop : silent) {
    spdlog::error("{} has not answered for {} s: it is stuck; {}", loop.name,
                  std::chrono::duration_cast<std::chrono::seconds>(loop.since).count(),
                  service_.watchdog() ? "systemd's watchdog will restart the daemon, nothing is lost"
                                      : "restart the daemon, nothing is lost by it");
  }
}

}  // namespace sessionlogd
