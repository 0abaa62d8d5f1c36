#include "bench/day/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "tests/support/simulated_shard.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::PlannedSession;

constexpr std::array kIntervals{3s, 5s, 8s, 12s, 20s, 40s};
constexpr std::array kQuantiles{0.5, 0.95, 0.99};
constexpr auto kTick = 50ms;
constexpr double kLeastAge = 1e-3;  // of which there is a logarithm

void add_unread(const test::SimulatedAppliance& appliance, std::vector<std::uint32_t>& ages_ms) {
  const std::int64_t now = test::now_ms();
  for (std::size_t session = 0; session < appliance.plan().size(); ++session) {
    const PlannedSession& planned = appliance.plan()[session];
    for (std::size_t entry = appliance.read_of(session); entry < planned.shown_at(now); ++entry)
      ages_ms.push_back(static_cast<std::uint32_t>(now - planned.appears_ms(entry)));
  }
}

PaceFigures run(const ComparedDay& day, std::string name, const PollSettings& poll) {
  test::SimulatedShard shard({.seed = day.seed, .tick = kTick});
  test::Traffic& traffic = shard.traffic();
  traffic.keeps_ages = true;
  const std::int64_t begin = test::now_ms();
  for (std::vector<PlannedSession> plan : day.plans) {
    for (PlannedSession& session : plan) session.start_ms += begin;
    shard.add(std::move(plan), poll);
  }
  shard.run(std::chrono::hours{day.hours});
  const auto entries = static_cast<double>(std::max<std::uint64_t>(traffic.new_entries, 1));
  for (std::size_t i = 0; i < shard.size(); ++i) add_unread(shard.appliance(i), traffic.new_ages_ms);
  return {.name = std::move(name),
          .polls_per_entry = static_cast<double>(traffic.requests[test::Traffic::kLog]) / entries,
          .requests_per_entry = static_cast<double>(traffic.in_all()) / entries,
          .entries = ages_of(std::move(traffic.new_ages_ms)),
          .changes = ages_of(std::move(traffic.changed_ages_ms))};
}

std::string text_of(const Ages& ages) {
  const auto& [p50, p95, p99] = ages.quantiles;
  return fmt::format("{:8.2f} {:8.2f} {:8.2f} {:8.2f}", ages.mean, p50, p95, p99);
}

void print(const PaceFigures& pace) {
  fmt::print("{:<6} {:12.3f} {:12.3f}  {}  {}\n", pace.name, pace.polls_per_entry, pace.requests_per_entry,
             text_of(pace.entries), text_of(pace.changes));
  std::fflush(stdout);
}

std::string json_of(const Ages& ages) {
  const auto& [p50, p95, p99] = ages.quantiles;
  return fmt::format("[{:.3f},{:.3f},{:.3f}]", p50, p95, p99);
}

std::string json_of(const PaceFigures& pace) {
  return fmt::format(R"("polls_per_entry":{:.4f},"requests_per_entry":{:.4f},"mean_age_s":{:.3f},"age_s":{},)"
                     R"("changes":{},"mean_change_age_s":{:.3f},"change_age_s":{})",
                     pace.polls_per_entry, pace.requests_per_entry, pace.entries.mean, json_of(pace.entries),
                     pace.changes.count, pace.changes.mean, json_of(pace.changes));
}

double between(double polls, const FixedPoint& a, const FixedPoint& b) {
  const double from = std::log(std::max(a.age, kLeastAge)), to = std::log(std::max(b.age, kLeastAge));
  if (a.polls <= 0 || b.polls <= a.polls) return std::exp(std::min(from, to));
  return std::exp(from + (to - from) * std::log(polls / a.polls) / std::log(b.polls / a.polls));
}

}  // namespace

Ages ages_of(std::vector<std::uint32_t> ms) {
  if (ms.empty()) return {};
  std::ranges::sort(ms);
  Ages ages{.count = ms.size()};
  ages.mean = std::accumulate(ms.begin(), ms.end(), 0.0) / static_cast<double>(ms.size()) / 1e3;
  for (std::size_t i = 0; i < kQuantiles.size(); ++i) {
    const auto rank = static_cast<std::size_t>(std::ceil(kQuantiles[i] * static_cast<double>(ms.size())));
    ages.quantiles[i] = ms[std::max<std::size_t>(rank, 1) - 1] / 1e3;
  }
  return ages;
}

double best_fixed_at(double polls, std::vector<FixedPoint> points) {
  std::ranges::sort(points, {}, &FixedPoint::polls);
  const auto above = std::ranges::lower_bound(points, polls, {}, &FixedPoint::polls) - points.begin();
  const auto right = std::clamp<std::ptrdiff_t>(above, 1, static_cast<std::ptrdiff_t>(points.size()) - 1);
  double best = between(polls, points[static_cast<std::size_t>(right - 1)], points[static_cast<std::size_t>(right)]);
  // Fewer polls that give a lower age are a way to spend as many, too.
  for (const FixedPoint& point : points) {
    if (point.polls <= polls) best = std::min(best, point.age);
  }
  return best;
}

std::string PaceComparison::json() const {
  std::string intervals;
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    intervals +=
        fmt::format(R"({}{{"interval_s":{},{}}})", i == 0 ? "" : ",", kIntervals[i].count(), json_of(fixed[i]));
  }
  return fmt::format(
      R"({{"arrivals":{},"ours":{{{}}},"fixed":[{}],"best_fixed_at_same_polls":{{"mean_age_s":{:.3f},"p95_age_s":{:.3f}}},)"
      R"("ratio":{{"mean_age":{:.4f},"p95_age":{:.4f}}}}})"
      "\n",
      arrivals, json_of(ours), intervals, best_mean_age_s, best_p95_age_s, mean_ratio(), p95_ratio());
}

PaceComparison compare(const ComparedDay& day) {
  fmt::print("{:<6} {:>12} {:>12}  {:>35}  {:>35}\n", "", "polls per", "requests", "age of new entries, s",
             "of changes, s");
  fmt::print("{:<6} {:>12} {:>12}  {}  {}\n", "pace", "new entry", "per entry", "    mean      p50      p95      p99",
             "    mean      p50      p95      p99");
  PaceComparison result{.arrivals = day.arrivals, .ours = run(day, "ours", day.poll)};
  print(result.ours);
  std::vector<FixedPoint> means, p95s;
  for (const std::chrono::seconds interval : kIntervals) {
    PollSettings poll = day.poll;
    poll.interval = poll.max_interval = interval;
    result.fixed.push_back(run(day, fmt::format("{} s", interval.count()), poll));
    const PaceFigures& fixed = result.fixed.back();
    print(fixed);
    means.push_back({fixed.polls_per_entry, fixed.entries.mean});
    p95s.push_back({fixed.polls_per_entry, fixed.entries.quantiles[1]});
  }
  result.best_mean_age_s = best_fixed_at(result.ours.polls_per_entry, means);
  result.best_p95_age_s = best_fixed_at(result.ours.polls_per_entry, p95s);
  fmt::print(
      "the best fixed interval at as many polls: mean age {:.2f} s, p95 {:.2f} s; ours to it: {:.2f} and {:.2f}\n",
      result.best_mean_age_s, result.best_p95_age_s, result.mean_ratio(), result.p95_ratio());
  return result;
}

}  // namespace sessionlogd
