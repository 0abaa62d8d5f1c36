#include "core/state/committer.h"
#include "core/base/log_line.h"

#include <algorithm>

namespace sessionlogd {

Committer::Committer(BatchQueue& queue, Commits& sink, CommitSettings settings,
                     std::function<void(const Error&)> on_fatal)
    : queue_(queue),
      sink_(sink),
      settings_(settings),
      on_fatal_(std::move(on_fatal)),
      retries_(settings.first_retry, settings.most_retry) {
  queue_.on_wait([this] {
    turns_.fetch_add(1, std::memory_order_relaxed);
    say_end();
  });
}

void Committer::start() {
  thread_ = std::thread([this] { run(); });
}

bool Committer::join() {
  if (thread_.joinable()) thread_.join();
  return complete_.load();
}

bool Committer::run() {
  std::vector<Batch> batches;
  for (;;) {
    if (!queue_.wait_for_batch(settings_.looks_every)) {
      if (look()) continue;
    } else if (!queue_.take(batches, settings_.bytes, settings_.interval)) {
      return complete_ = queue_.committed() == queue_.pushed();  // not so when its life was ended
    } else if (commit(batches)) {
      batches.clear();
      continue;
    }
    return complete_ = false;
  }
}

// What is lost while nothing comes is lost all the same.
bool Committer::look() {
  const Result<void> there = sink_.look();
  if (there.has_error()) on_fatal_(there.error());
  return there.has_value();
}

bool Committer::commit(std::vector<Batch>& batches) {
  for (;;) {
    const Result<void> done = offer(batches);
    if (done.has_value()) break;
    if (done.error().kind != ErrorKind::kTryLater) {
      on_fatal_(done.error());
      return false;
    }
    if (!wait_before_retry(done.error())) return false;
  }
  // From here on the batches are durable.
  if (waiting_.exchange(false)) waits_for({});
  say_end();
  retries_.reset();
  count(batches);
  queue_.release(batches);
  return true;
}

Result<void> Committer::offer(const std::vector<Batch>& batches) {
  const SteadyTime began = SteadyClock::now();
  const auto under_way = [this](std::optional<SteadyTime> since) {
    std::lock_guard lock(mutex_);
    committing_since_ = since;
  };
  under_way(began);
  Result<void> done = sink_.commit(batches);
  under_way(std::nullopt);
  commit_seconds_.observe(SteadyClock::now() - began);
  if (done.has_error()) failed_.fetch_add(1, std::memory_order_relaxed);
  return done;
}

void Committer::count(const std::vector<Batch>& batches) {
  const SteadyTime now = SteadyClock::now();
  std::size_t events = 0, event_bytes = 0;
  for (const Batch& batch : batches) {
    events += batch.index.size();
    event_bytes += batch.events.size();
    if (!batch.index.empty()) delivery_delay_seconds_.observe(now - batch.read_at, batch.index.size());
  }
  commits_.fetch_add(1, std::memory_order_relaxed);
  events_.fetch_add(events, std::memory_order_relaxed);
  event_bytes_.fetch_add(event_bytes, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  last_commit_ = system_now();
}

void Committer::say_end() {
  if (!waiting() && said_waiting_.is_not_so(SteadyClock::now())) log_info({.sink = sink_.name()}, "takes events again");
}

void Committer::waits_for(std::string why) {
  std::lock_guard lock(mutex_);
  error_ = std::move(why);
}

CommitterView Committer::view() const {
  CommitterView view;
  view.ok = commits();
  view.failed = failed_.load(std::memory_order_relaxed);
  view.in_doubt = sink_.commits_in_doubt();
  view.events = events();
  view.event_bytes = event_bytes_.load(std::memory_order_relaxed);
  view.commit_seconds = commit_seconds_.read();
  view.delivery_delay_seconds = delivery_delay_seconds_.read();
  std::lock_guard lock(mutex_);
  view.last_commit = last_commit_;
  view.error = error_;
  if (committing_since_) view.committing_for = SteadyClock::now() - *committing_since_;
  return view;
}

// false: we are stopping and have waited long enough.
bool Committer::wait_before_retry(const Error& error) {
  waits_for(error.detail);
  waiting_ = true;
  if (said_waiting_.is_so(SteadyClock::now())) {
    log_error({.sink = sink_.name()}, "cannot take events now: {}; polling pauses until it can, nothing is lost",
              error.detail);
  }
  if (!queue_.wait_closed(retries_.next())) return true;
  if (queue_.is_over()) return false;
  const auto now = std::chrono::steady_clock::now();
  if (give_up_at_ == std::chrono::steady_clock::time_point{}) give_up_at_ = now + settings_.patience_at_stop;
  if (now < give_up_at_) {
    std::this_thread::sleep_for(std::min(settings_.first_retry, std::chrono::milliseconds{200}));
    return true;
  }
  log_warn({.sink = sink_.name()},
           "did not take the last events before the end: they are read from their sources again at the next start");
  return false;
}

}  // namespace sessionlogd
