#include "bench/day/plan.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace sessionlogd {
namespace {

constexpr std::int64_t kSecond = 1'000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
constexpr double kAtNight = 0.7;
constexpr int kNightBegins = 20, kNightHours = 8;
constexpr double kSpreadOfAppliances = 0.8, kSpreadOfLengths = 1.0;  // sigma of the logarithms
constexpr double kMedianLength = 4 * kMinute;
constexpr std::int64_t kShortest = 10 * kSecond, kLongest = 6 * kHour;
constexpr std::int64_t kBetweenEntries = 30 * kSecond;
constexpr std::int64_t kFewestEntries = 5, kMostEntries = 60;
constexpr unsigned kOneLateOf = 20;

std::int64_t start_in_day(std::mt19937_64& random) {
  std::uniform_real_distribution<double> part(0, 1);
  if (part(random) >= kAtNight) return static_cast<std::int64_t>(part(random) * 24 * kHour);
  const std::int64_t half_hour = static_cast<std::int64_t>(random() % (2 * kNightHours));
  const auto after = static_cast<std::int64_t>(part(random) * static_cast<double>(kMinute));
  return (kNightBegins * kHour + half_hour * kHour / 2) % (24 * kHour) + after;
}

}  // namespace

std::vector<test::PlannedSession> plan_of(const DayShape& shape, unsigned appliance, std::int64_t begin_ms) {
  std::mt19937_64 random(shape.seed * 1'000'003 + appliance);
  // The mean of a lognormal distribution is above its median.
  std::lognormal_distribution<double> size(-kSpreadOfAppliances * kSpreadOfAppliances / 2, kSpreadOfAppliances);
  std::lognormal_distribution<double> length(std::log(kMedianLength), kSpreadOfLengths);
  const double mean = static_cast<double>(shape.sessions) / shape.appliances;
  const auto sessions = static_cast<std::size_t>(std::max(1.0, std::round(mean * size(random))));
  std::vector<test::PlannedSession> plan;
  for (std::size_t i = 0; i < sessions; ++i) {
    const std::int64_t lasts = std::clamp(static_cast<std::int64_t>(length(random)), kShortest, kLongest);
    const std::int64_t entries = std::clamp(lasts / kBetweenEntries, kFewestEntries, kMostEntries);
    plan.push_back({begin_ms + start_in_day(random), static_cast<std::uint32_t>(lasts),
                    static_cast<std::uint16_t>(entries), random() % kOneLateOf == 0});
  }
  std::ranges::sort(plan, {}, &test::PlannedSession::start_ms);
  return plan;
}

}  // namespace sessionlogd
