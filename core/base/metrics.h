// What is counted while the daemon works. Cheap enough for the hot path: one relaxed addition; everything else is done
// by who asks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sessionlogd {

// What a histogram held when it was asked: counts[i] is of values up to bounds[i], the last of all above.
struct HistogramCounts {
  std::span<const double> bounds;  // seconds
  std::vector<std::uint64_t> counts;
  double sum = 0;  // seconds

  std::uint64_t count() const;

  // Both must have the same bounds; one that is empty takes the other's.
  void add(const HistogramCounts& other);
};

// Spans of time, counted in fixed buckets. Any thread.
class Histogram {
 public:
  // `bounds`, in seconds and rising, must outlive this.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}

  void observe(std::chrono::nanoseconds value, std::uint64_t times = 1);
  HistogramCounts read() const;

 private:
  const std::span<const double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<std::int64_t> sum_ns_ = 0;
};

// The buckets follow what is measured: requests on a LAN take milliseconds and end with `timeout`; commits take what a
// disk or a broker takes to sync; lateness matters from a tenth of the shortest usual interval; delivery begins with
// commit_interval and ends with a sink that was down for hours.
inline constexpr double kPollBounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
inline constexpr double kCommitBounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
inline constexpr double kLatenessBounds[] = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
inline constexpr double kDeliveryBounds[] = {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600};

// Of one shard.
struct ShardMetrics {
  Histogram poll_seconds{kPollBounds};
  Histogram poll_lateness_seconds{kLatenessBounds};
};

}  // namespace sessionlogd
