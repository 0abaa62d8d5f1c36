#include "daemon/control/lane_life.h"

#include <exception>
#include <utility>

#include "core/base/log_line.h"

namespace sessionlogd {
LaneLife::LaneLife(LaneGroup& group, Partition partition, std::shared_ptr<QueueMemory> memory, CommitSettings settings,
                   Tells tells)
    : queue_(std::make_shared<BatchQueue>(std::move(memory))),
      tells_(std::move(tells)),
      lane_(group.make_lane(partition, stop_.get_token())),
      committer_(*queue_, *lane_, settings, [this](const Error& error) {
        queue_->end();  // nothing that is still read could be committed
        tells_.failed(error);
      }) {}

LaneLife::~LaneLife() = default;

void LaneLife::start() {
  std::thread([self = shared_from_this()]() mutable {
    self->run();
    const auto ended = self->tells_.ended;
    ended(std::move(self));
  }).detach();
}

void LaneLife::drop() {
  stop_.request_stop();
  queue_->end();
}

std::uint64_t LaneLife::rows_read() const {
  std::lock_guard lock(mutex_);
  return lane_ != nullptr ? lane_->records_read() : 0;
}

CommitterView LaneLife::view() const {
  std::lock_guard lock(mutex_);
  return lane_ != nullptr ? committer_.view() : last_view_;
}

bool LaneLife::is_shut_out() const {
  std::lock_guard lock(mutex_);
  return lane_ != nullptr && lane_->is_shut_out();
}

std::string LaneLife::waits_for() const {
  std::lock_guard lock(mutex_);
  return waits_for_;
}

void LaneLife::run() {
  try {
    if (take_over()) committer_.run();
  } catch (const std::exception& error) {  // a setting or a state that nobody can use ends this lane, and no other
    queue_->end();
    tells_.failed(Error(ErrorKind::kRefused, error.what()));
  }
  std::unique_ptr<Lane> over;
  {
    std::lock_guard lock(mutex_);
    last_view_ = committer_.view();
    over = std::move(lane_);
  }
  over.reset();  // which may take its time
}

bool LaneLife::take_over() {
  for (;;) {
    const auto restored = std::make_shared<RestoredState>();
    const Result<void> done = lane_->recover(*restored);
    if (done.has_value()) {
      if (!announce()) return false;
      tells_.ready(restored);
      return true;
    }
    if (!may_go_on(done.error())) return false;
  }
}

// From here on everybody finds us as the owner.
bool LaneLife::announce() {
  for (;;) {
    const Result<void> done = lane_->commit({});
    if (done.has_value()) {
      if (said_waiting_.is_not_so(SteadyClock::now())) log_info({.sink = lane_->name()}, "is taken over now");
      std::lock_guard lock(mutex_);
      waits_for_.clear();
      return true;
    }
    if (!may_go_on(done.error())) return false;
  }
}

bool LaneLife::may_go_on(const Error& error) {
  if (queue_->is_over()) return false;
  if (error.kind == ErrorKind::kTryLater || error.kind == ErrorKind::kCancelled) return waits(error);
  tells_.failed(error);
  return false;
}

// false: it is over.
bool LaneLife::waits(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    waits_for_ = error.detail;
  }
  if (said_waiting_.is_so(SteadyClock::now()))
    log_warn({.sink = lane_->name()}, "cannot be taken over now: {}; it is tried again", error.detail);
  queue_->wait_closed(waits_.next());
  return !queue_->is_over();
}

}  // namespace sessionlogd
