#include "bench/day/plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <utility>

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
constexpr double kSpreadOfRates = 1.0;
constexpr double kMedianBetweenBursts = 90 * kSecond, kSpreadBetweenBursts = 1.2;
constexpr unsigned kFewestInBurst = 2, kMostInBurst = 20;
constexpr double kLongestInBurst = 0.5 * kSecond;  // between two entries
constexpr std::size_t kMostScripted = 2'000;

std::int64_t start_in_day(std::mt19937_64& random) {
  std::uniform_real_distribution<double> part(0, 1);
  if (part(random) >= kAtNight) return static_cast<std::int64_t>(part(random) * 24 * kHour);
  const std::int64_t half_hour = static_cast<std::int64_t>(random() % (2 * kNightHours));
  const auto after = static_cast<std::int64_t>(part(random) * static_cast<double>(kMinute));
  return (kNightBegins * kHour + half_hour * kHour / 2) % (24 * kHour) + after;
}

using Times = std::vector<std::uint32_t>;

// The first at its start, the others after gaps that `gap` gives, until it ends.
template <class Gap>
Times entries_after(std::int64_t lasts, Gap gap) {
  Times entries;
  for (double at = 0; at < static_cast<double>(lasts) && entries.size() < kMostScripted; at += gap())
    entries.push_back(static_cast<std::uint32_t>(at));
  return entries;
}

Times without_memory(std::int64_t lasts, std::mt19937_64& random) {
  std::lognormal_distribution<double> rate(-kSpreadOfRates * kSpreadOfRates / 2, kSpreadOfRates);
  std::exponential_distribution<double> gap(rate(random) / kBetweenEntries);
  return entries_after(lasts, [&] { return gap(random); });
}

Times in_bursts(std::int64_t lasts, std::mt19937_64& random) {
  std::lognormal_distribution<double> between(std::log(kMedianBetweenBursts), kSpreadBetweenBursts);
  std::uniform_real_distribution<double> within(0, kLongestInBurst);
  const auto burst = [&] {
    return static_cast<unsigned>(kFewestInBurst + random() % (kMostInBurst - kFewestInBurst + 1));
  };
  unsigned left = burst();
  return entries_after(lasts, [&] {
    if (--left > 0) return within(random);
    left = burst();
    return between(random);
  });
}

// nullptr: at equal gaps.
std::shared_ptr<const test::Script> script_of(ArrivalModel arrivals, std::int64_t lasts, std::mt19937_64& random) {
  if (arrivals == ArrivalModel::kMixed) {
    constexpr std::array kEach{ArrivalModel::kEven, ArrivalModel::kPoisson, ArrivalModel::kBursts};
    arrivals = kEach[random() % kEach.size()];
  }
  if (arrivals == ArrivalModel::kEven) return nullptr;
  const bool bursts = arrivals == ArrivalModel::kBursts;
  return std::make_shared<const test::Script>(
      test::Script{.type = bursts ? "Backup" : "Snapshot",
                   .entries_ms = bursts ? in_bursts(lasts, random) : without_memory(lasts, random)});
}

}  // namespace

std::optional<ArrivalModel> arrivals_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, ArrivalModel>, 4> kNames{{{"even", ArrivalModel::kEven},
                                                                             {"poisson", ArrivalModel::kPoisson},
                                                                             {"bursts", ArrivalModel::kBursts},
                                                                             {"mixed", ArrivalModel::kMixed}}};
  const auto found = std::ranges::find(kNames, name, &std::pair<std::string_view, ArrivalModel>::first);
  return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

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
                    static_cast<std::uint32_t>(entries), random() % kOneLateOf == 0});
    auto script = script_of(shape.arrivals, lasts, random);
    if (!script) continue;
    plan.back().entries = static_cast<std::uint32_t>(script->entries_ms.size());
    plan.back().script = std::move(script);
  }
  std::ranges::sort(plan, {}, &test::PlannedSession::start_ms);
  return plan;
}

}  // namespace sessionlogd
