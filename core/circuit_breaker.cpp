#include "core/circuit_breaker.h"

#include <algorithm>

namespace sessionlogd {

std::optional<SteadyTime> CircuitBreaker::ready_at(SteadyTime now) const {
  if (!probe_at_) return now;
  if (probing_) return std::nullopt;
  return std::max(now, *probe_at_);
}

CircuitBreaker::Attempt CircuitBreaker::start(SteadyTime now, std::uint64_t request) {
  probing_ = probe_at_.has_value();
  return {.request = request, .started = now, .is_probe = probing_};
}

bool CircuitBreaker::failed(const Attempt& attempt, SteadyTime now) {
  if (last_answer_ && *last_answer_ >= attempt.started) return false;
  if (attempt.is_probe) {
    probing_ = false;
    probe_at_ = std::max(now, attempt.started + kProbeEvery);
    return false;
  }
  if (probe_at_) return false;  // it started before
  count(attempt.request);
  if (failing_count_ < kRequestsToOpen) return false;
  probe_at_ = now + kProbeEvery;
  return true;
}

void CircuitBreaker::answered(const Attempt&, SteadyTime now) {
  last_answer_ = now;
  failing_count_ = 0;
  probe_at_.reset();
  probing_ = false;
}

void CircuitBreaker::dropped(const Attempt& attempt) {
  if (attempt.is_probe) probing_ = false;
}

std::optional<SteadyTime> CircuitBreaker::open_until() const { return probe_at_; }

void CircuitBreaker::count(std::uint64_t request) {
  const auto end = failing_.begin() + failing_count_;
  if (std::find(failing_.begin(), end, request) != end) return;
  failing_[failing_count_++] = request;
}

}  // namespace sessionlogd
