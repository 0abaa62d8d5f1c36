#include "daemon/admin/observatory.h"

#include <malloc.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <numeric>

#include "daemon/service/heap.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kMayTakeToAnswer{1};
constexpr std::chrono::milliseconds kLookAgain{2};

std::size_t heap_bytes() {
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

struct Sums {
  std::uint64_t events = 0, polls = 0;
  double most_lag = 0;
  std::size_t down = 0;
};

Sums sum(const FleetView& view) {
  Sums sums;
  for (const SourceView* source : view.sources()) {
    const auto events = source->counts.events(), polls = source->counts.polls();
    sums.events = std::accumulate(events.begin(), events.end(), sums.events);
    sums.polls = std::accumulate(polls.begin(), polls.end(), sums.polls);
    sums.most_lag = std::max(sums.most_lag, source->lag.count());
    sums.down += source->condition != SourceCondition::kOk ? 1 : 0;
  }
  return sums;
}

}  // namespace

Observatory::Observatory(asio::io_context& io, Observed observed)
    : io_(io), observed_(std::move(observed)), looked_(io) {
  for (std::size_t i = 0; i < observed_.shards.size(); ++i) shards_.push_back(std::make_shared<Published<ShardView>>());
}

std::vector<std::string> Observatory::not_healthy() const {
  return sessionlogd::not_healthy(observed_.heartbeat, SteadyClock::now());
}

Task<std::shared_ptr<const FleetView>> Observatory::look() {
  if (view_ != nullptr && SteadyClock::now() - view_->taken < kFresh) co_return view_;
  if (looking_) {
    while (looking_) co_await looked_.wait();
    co_return view_;
  }
  looking_ = true;
  const auto before = shown();
  const SteadyTime latest = SteadyClock::now() + kMayTakeToAnswer;
  asio::steady_timer timer(io_);
  while (!all_answered(before) && SteadyClock::now() < latest) {
    timer.expires_after(kLookAgain);
    co_await timer.async_wait(use_task);
  }
  view_ = compose();
  looking_ = false;
  looked_.notify();
  co_return view_;
}

std::vector<std::shared_ptr<const ShardView>> Observatory::shown() const {
  std::vector<std::shared_ptr<const ShardView>> views;
  for (const Shown& shard : shards_) views.push_back(shard->latest());
  return views;
}

// Asks those that have not answered since; a shard that just then has a question of the pulse is asked at the next
// look.
bool Observatory::all_answered(const std::vector<std::shared_ptr<const ShardView>>& before) {
  if (!observed_.shards_run) return true;
  bool all = true;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i]->latest() != before[i]) continue;
    ask(i);
    all = false;
  }
  return all;
}

void Observatory::ask(std::size_t shard) {
  if (!observed_.heartbeat.ask(shard, SteadyClock::now())) return;
  Shard& there = *observed_.shards[shard];
  there.post([shown = shards_[shard], &there, &heartbeat = observed_.heartbeat, shard] {
    shown->put(there.sources().view());
    heartbeat.answered(shard);
  });
}

std::shared_ptr<const FleetView> Observatory::compose() {
  auto view = std::make_shared<FleetView>();
  view->taken = SteadyClock::now();
  view->at = system_now();
  view->process = *observed_.process.latest();
  view->not_healthy = not_healthy();
  view->shards = shown();
  if (!observed_.shards_run) {
    for (const auto& source : view->process.sources) view->to_come.push_back(view_of_waiting(*source));
  }
  if (!view->process.daemon.metrics_per_source) view->sums = all_sources_.look(view->sources());
  view->sink = observed_.committed();
  if (view->sink.error.empty()) view->sink.error = view->process.starting;
  view->queue_bytes = observed_.queue.bytes();
  view->queue_capacity = observed_.queue.capacity();
  if (const auto oldest = observed_.queue.oldest()) view->oldest_uncommitted = SteadyClock::now() - *oldest;
  view->quarantine_bytes = observed_.quarantine != nullptr ? observed_.quarantine->bytes() : 0;
  view->resident_bytes = resident_bytes();
  view->heap_bytes = heap_bytes();
  return view;
}

Task<void> Observatory::keep_history() {
  Sums before = sum(*co_await look());
  asio::steady_timer timer(io_, SteadyClock::now());
  for (;;) {
    timer.expires_at(timer.expiry() + kStep);
    co_await timer.async_wait(use_task);
    const std::shared_ptr<const FleetView> view = co_await look();
    const Sums now = sum(*view);
    // A source that left took its counts with it.
    const auto rate = [](std::uint64_t later, std::uint64_t earlier) {
      return static_cast<double>(later - std::min(later, earlier)) / static_cast<double>(kStep.count());
    };
    history_.push_back({.at = view->at,
                        .events_per_second = rate(now.events, before.events),
                        .polls_per_second = rate(now.polls, before.polls),
                        .most_lag_seconds = now.most_lag,
                        .down = now.down});
    if (history_.size() > kMostPoints) history_.pop_front();
    before = now;
  }
}

}  // namespace sessionlogd
