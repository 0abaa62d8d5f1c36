#include "core/api/source_budget.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sessionlogd {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kSecond = std::chrono::seconds(1);
constexpr nanoseconds kMostCost = std::chrono::hours(24);

// A rate of zero or less is once a day, never a division by zero.
nanoseconds cost_of_one(double rate_per_second) {
  if (!(rate_per_second > 0)) return kMostCost;
  const double cost = std::ceil(static_cast<double>(kSecond.count()) / rate_per_second);
  return nanoseconds(static_cast<std::int64_t>(std::clamp(cost, 1.0, static_cast<double>(kMostCost.count()))));
}

// A request that finds the bucket full leaves a second's worth less itself to those that follow at once.
nanoseconds credit_of(nanoseconds cost, double rate_per_second) {
  const double credit = static_cast<double>(cost.count()) * (rate_per_second - 1);
  if (!(credit > 0)) return nanoseconds(0);
  return nanoseconds(static_cast<std::int64_t>(std::min(credit, static_cast<double>(kSecond.count()))));
}

}  // namespace

SourceBudget::SourceBudget(unsigned connections, double rate_per_second)
    : connections_(std::max(connections, 1u)),
      cost_(cost_of_one(rate_per_second)),
      credit_(credit_of(cost_, rate_per_second)) {}

std::optional<SteadyTime> SourceBudget::ready_at(SteadyTime now) const {
  if (in_flight_ >= connections_) return std::nullopt;
  return std::max({now, paid_until_ - credit_, asked_until_, backing_off_until_});
}

void SourceBudget::start(SteadyTime now) {
  assert(ready_at(now) == now);
  ++in_flight_;
  paid_until_ = std::max(paid_until_, now) + cost_;
}

void SourceBudget::finish() {
  assert(in_flight_ > 0);
  --in_flight_;
}

void SourceBudget::retry_after(SteadyTime now, std::chrono::seconds wait) {
  const std::chrono::seconds most = kMostRetryAfter;
  asked_until_ = std::max(asked_until_, now + std::clamp(wait, std::chrono::seconds(0), most));
}

void SourceBudget::slow_down(SteadyTime now, std::uint64_t random) {
  if (now < backing_off_until_) return;
  backing_off_until_ = now + backoff_.failed(random);
}

void SourceBudget::served() {
  backoff_.succeeded();
  backing_off_until_ = {};
}

}  // namespace sessionlogd
