#include "core/api/circuit_breaker.h"

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

void CircuitBreaker::failed(const Attempt& attempt, SteadyTime now) {
  if (last_response_ && *last_response_ >= attempt.started) return learn_alone(attempt.request);
  if (!attempt.is_probe && !probe_at_ && fails_alone(attempt.request, now)) return;
  failing_since_ = failing_.empty() ? attempt.started : std::min(failing_since_, attempt.started);
  const bool is_new = std::ranges::find(failing_, attempt.request) == failing_.end();
  if (is_new && failing_.size() < kMostAlone) failing_.push_back(attempt.request);
  if (attempt.is_probe) {
    probing_ = false;
    distance_ = std::min(2 * distance_, kProbeEvery);
    probe_at_ = std::max(now, attempt.started + distance_);
  } else if (!probe_at_ && failing_.size() >= kRequestsToOpen) {
    distance_ = kFirstProbe;
    probe_at_ = now + distance_;
  }
}

void CircuitBreaker::answered(const Attempt& attempt, SteadyTime now) {
  last_response_ = now;
  for (const std::uint64_t request : failing_) learn_alone(request);
  failing_.clear();
  std::erase(alone_, attempt.request);
  probe_at_.reset();
  probing_ = false;
}

void CircuitBreaker::dropped(const Attempt& attempt) {
  if (attempt.is_probe) probing_ = false;
}

bool CircuitBreaker::fails_alone(std::uint64_t request, SteadyTime now) const {
  if (!last_response_ || now - *last_response_ >= kResponsesCountFor) return false;
  return std::ranges::find(alone_, request) != alone_.end();
}

void CircuitBreaker::learn_alone(std::uint64_t request) {
  if (std::ranges::find(alone_, request) != alone_.end()) return;
  if (alone_.size() >= kMostAlone) alone_.erase(alone_.begin());
  alone_.push_back(request);
}

}  // namespace sessionlogd
