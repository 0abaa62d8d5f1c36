#include "core/polling/shard_sources.h"

#include <boost/asio/post.hpp>
#include <stdexcept>
#include <utility>

#include "core/async/spawn.h"
#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kLooksEvery{5};
constexpr std::chrono::milliseconds kLogOutInPeace{5'000};  // longer than the process is quiet behind a freeze

}  // namespace

ShardSources::ShardSources(Parts parts)
    : parts_(std::move(parts)),
      random_(parts_.seed),
      reader_(parts_.memory),
      room_(parts_.io),
      looks_again_(parts_.io) {}

std::string ShardSources::add(NewSource source) {
  if (stopping_) return {};
  auto encoder = parts_.make_encoder(*source.settings);
  auto key = std::pair(source.settings->id, source.queue->life());
  const auto at = sources_.try_emplace(std::move(key), std::move(source), std::move(encoder), parts_.io).first;
  Source& added = at->second;
  make_poller(added);
  if (!added.poller) {
    log_error({.source = added.settings().name}, "cannot be polled: {}; {}", added.unusable,
              parts_.mode == PollMode::kOnePass ? "it is left out" : "it is parked and tried again");
  }
  if (started_) {
    ++running_;
    // Not from this call: one pass might end with it before those came that are still to be added.
    boost::asio::post(parts_.io, [this, at] { spawn(parts_.io, run_source(at)); });
  }
  return added.unusable;
}

void ShardSources::make_poller(Source& source) {
  const ShardServices services{
      parts_.io,       parts_.http,  reader_,  *source.as_given.queue,   parts_.quarantine,
      room_,           random_,      metrics_, parts_.fingerprint_bytes, parts_.quarantine != nullptr,
      parts_.accounts, parts_.verify};
  NewSource& given = source.as_given;
  try {
    source.poller.emplace(
        SourcePoller::Parts{services, source.settings(), given.counters, *source.encoder, parts_.mode},
        std::move(given.restored));
    source.unusable.clear();
  } catch (const std::runtime_error& why) {
    source.unusable = why.what();
  }
}

// Returns with a poller, or when none is wanted any more.
Task<void> ShardSources::make_poller_in_time(Source& source) {
  source.as_given.counters->failing = true;
  while (!source.poller && !stopping_ && !source.removed && parts_.mode != PollMode::kOnePass) {
    co_await source.woken.wait_until(SteadyClock::now() + source.as_given.try_again);
    if (stopping_ || source.removed) break;
    make_poller(source);
    if (source.poller) log_info({.source = source.settings().name}, "can be polled now");
  }
}

void ShardSources::start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  started_ = true;
  running_ = sources_.size();
  for (auto at = sources_.begin(); at != sources_.end(); ++at) spawn(parts_.io, run_source(at));
  boost::asio::post(parts_.io, [this] {
    look_at_sources();
    end_if_idle();
  });
}

Task<void> ShardSources::run_source(Sources::iterator at) {
  Source& source = at->second;
  if (!source.poller) co_await make_poller_in_time(source);
  if (source.poller) {
    co_await source.poller->run(source.as_given.first_contact_after);
    co_await log_out(source);
  }
  --running_;
  source.has_ended = true;
  if (source.removed) hand_back(at);
  end_if_idle();
}

Task<void> ShardSources::log_out(Source& source) {
  ApiClient& client = source.poller->client();
  const bool may_be_back = source.removed && source.leaves == Leaves::kAndMayBeBack && !stopping_;
  if (const auto until = may_be_back ? client.leave_login() : std::nullopt) {
    leavers_.push_back({source.as_given.settings, source.poller->take_client(), Signal(parts_.io)});
    ++running_;
    spawn(parts_.io, log_out_later(std::prev(leavers_.end()), *until));
  } else {
    co_await client.log_out(ApiClient::kLogOutTimeout);
  }
}

Task<void> ShardSources::log_out_later(Leavers::iterator at, SteadyTime until) {
  if (!stopping_) co_await at->woken.wait_until(until);
  co_await at->client->log_out(stopping_ ? ApiClient::kLogOutTimeout : kLogOutInPeace);
  leavers_.erase(at);
  --running_;
  end_if_idle();
}

void ShardSources::hand_back(Sources::iterator at) {
  Source& source = at->second;
  const Removed removed = std::move(source.removed);
  RestoredSource known = source.poller ? source.poller->release() : std::move(source.as_given.restored);
  sources_.erase(at);
  removed(std::move(known));
}

// What has gone on for too long shows when nothing happens, too.
void ShardSources::look_at_sources() {
  if (stopping_) return;
  for (auto& [key, source] : sources_) {
    if (source.poller) source.poller->look();
  }
  // It is back, and goes on with what was left.
  for (Leaver& leaver : leavers_) {
    if (!leaver.client->has_left_login()) leaver.woken.notify();
  }
  looks_again_.expires_after(kLooksEvery);
  looks_again_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_at_sources();
  });
}

void ShardSources::end_if_idle() {
  const bool none_can_come = stopping_ || parts_.mode == PollMode::kOnePass;
  if (running_ == 0 && none_can_come) std::exchange(on_end_, [] {})();
}

void ShardSources::remove(const std::string& id, std::uint64_t life, Leaves how, Removed removed) {
  const auto at = sources_.find({id, life});
  if (at == sources_.end() || at->second.removed) return removed(std::nullopt);
  Source& source = at->second;
  source.leaves = how;
  source.removed = std::move(removed);
  if (source.has_ended) return hand_back(at);
  stop(source);
  room_.notify();
}

void ShardSources::stop(Source& source) {
  if (source.poller) source.poller->stop();
  source.woken.notify();
}

SourcePoller* ShardSources::find(const std::string& id, std::uint64_t life) {
  const auto at = sources_.find({id, life});
  return at != sources_.end() && at->second.poller ? &*at->second.poller : nullptr;
}

ShardView ShardSources::view() {
  ShardView view;
  for (auto& [key, source] : sources_) {
    view.sources.push_back(source.poller ? source.poller->view()
                                         : view_of_unusable(source.settings(), source.unusable));
    view.sources.back().life = source.as_given.queue->life();
  }
  view.poll_seconds = metrics_.poll_seconds.read();
  view.poll_lateness_seconds = metrics_.poll_lateness_seconds.read();
  view.body_bytes = parts_.http.body_bytes();
  view.requests_in_flight = parts_.http.in_flight();
  return view;
}

void ShardSources::stop() {
  stopping_ = true;
  for (auto& [key, source] : sources_) stop(source);
  for (Leaver& leaver : leavers_) leaver.woken.notify();
  room_.notify();
  end_if_idle();
}

}  // namespace sessionlogd
