// What a pace is worth: the same day of the same appliances at ours and at fixed intervals, and how ours compares with
// the best fixed interval at the same number of polls.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "tests/support/simulated_appliance.h"

namespace sessionlogd {

// Each of an appliance's own; times are from the day's begin on.
using Plans = std::vector<std::vector<test::PlannedSession>>;

// How old something was when it was read, seconds.
struct Ages {
  std::size_t count = 0;
  double mean = 0;
  std::array<double, 3> quantiles{};  // 50, 95, 99 %
};
Ages ages_of(std::vector<std::uint32_t> ms);

struct PaceFigures {
  std::string name{};
  double polls_per_entry = 0, requests_per_entry = 0;
  Ages entries{};  // with those that are shown and were not read by the end, as old as they are then
  Ages changes{};
};

// A fixed interval: what it costs and gives.
struct FixedPoint {
  double polls, age;
};
// The least age that a fixed interval gives for so many polls. Between two of them age goes with a power of the polls,
// and beyond the last as between the last two; `points` has two at least.
double best_fixed_at(double polls, std::vector<FixedPoint> points);

struct PaceComparison {
  std::string arrivals{};
  PaceFigures ours{};
  std::vector<PaceFigures> fixed{};
  double best_mean_age_s = 0, best_p95_age_s = 0;

  double mean_ratio() const { return ours.entries.mean / best_mean_age_s; }
  double p95_ratio() const { return ours.entries.quantiles[1] / best_p95_age_s; }
  std::string json() const;
};

struct ComparedDay {
  std::string arrivals{};  // what they are called
  Plans plans{};
  unsigned hours = 24;
  std::uint64_t seed = 1;
  PollSettings poll{};  // ours
};
// Prints a line for each pace as soon as it is known.
PaceComparison compare(const ComparedDay& day);

}  // namespace sessionlogd
