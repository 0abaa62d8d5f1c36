#include "core/base/metrics.h"

#include <algorithm>
#include <numeric>

namespace sessionlogd {

std::uint64_t HistogramCounts::count() const { return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}); }

void HistogramCounts::add(const HistogramCounts& other) {
  if (counts.empty()) {
    *this = other;
    return;
  }
  std::transform(counts.begin(), counts.end(), other.counts.begin(), counts.begin(), std::plus<>());
  sum += other.sum;
}

void Histogram::observe(std::chrono::nanoseconds value, std::uint64_t times) {
  const double seconds = std::chrono::duration<double>(value).count();
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), seconds) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(times, std::memory_order_relaxed);
  sum_ns_.fetch_add(value.count() * static_cast<std::int64_t>(times), std::memory_order_relaxed);
}

HistogramCounts Histogram::read() const {
  HistogramCounts now{.bounds = bounds_, .counts = {}};
  for (const auto& count : counts_) now.counts.push_back(count.load(std::memory_order_relaxed));
  now.sum = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e9;
  return now;
}

}  // namespace sessionlogd
