#include "bench/day/hours.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/cpu_seconds.h"
#include "config/settings.h"
#include "core/base/memory_shares.h"
#include "tests/support/simulated_shard.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::array kQuantiles{0.5, 0.95, 0.99, 0.999};
constexpr auto kTick = 10ms;
// One appliance of so many is polled through the day a second time, at a fixed interval.
constexpr unsigned kOneFixedOf = 20;

// Without what the appliances take, which does not change while they run.
double daemons_heap_mb(test::SimulatedShard& shard) {
  const struct mallinfo2 info = ::mallinfo2();
  std::size_t appliances = 0;
  for (std::size_t i = 0; i < shard.size(); ++i) appliances += shard.appliance(i).memory_bytes();
  return static_cast<double>(info.uordblks + info.hblkhd - appliances) / 1e6;
}

// Where in a histogram, between two readings of it, the quantile lies: within a bucket all are taken to be spread
// evenly; what is above the last bound counts as that.
double quantile(const HistogramCounts& before, const HistogramCounts& after, double q) {
  std::vector<std::uint64_t> counts = after.counts;
  for (std::size_t i = 0; i < before.counts.size(); ++i) counts[i] -= before.counts[i];
  double left = q * static_cast<double>(after.count() - before.count());
  for (std::size_t i = 0; i < after.bounds.size(); ++i) {
    const double from = i == 0 ? 0 : after.bounds[i - 1];
    if (const auto here = static_cast<double>(counts[i]); left > here) {
      left -= here;
    } else {
      return here == 0 ? from : from + (after.bounds[i] - from) * left / here;
    }
  }
  return after.bounds.back();
}

std::string quantiles(const HistogramCounts& before, const HistogramCounts& after) {
  std::string text;
  for (const double q : kQuantiles)
    text += fmt::format("{}{:.3f}", text.empty() ? "" : ",", quantile(before, after, q));
  return text;
}

struct Reading {
  explicit Reading(test::SimulatedShard& shard)
      : polls(shard.traffic().requests[test::Traffic::kLog]),
        requests(shard.traffic().in_all()),
        entries(shard.traffic().new_entries),
        lateness(shard.metrics().poll_lateness_seconds.read()),
        news(shard.traffic().news_seconds.read()) {
    for (std::size_t i = 0; i < shard.size(); ++i) {
      const auto phases = shard.view(i).sessions;
      known += phases[0] + phases[1] + phases[2];
      done += phases[3];
    }
  }
  std::uint64_t polls, requests, entries;
  HistogramCounts lateness, news;
  std::size_t known = 0, done = 0;
};

void add_fleet(test::SimulatedShard& shard, const DayShape& shape, unsigned appliances, const PollSettings& poll) {
  const std::int64_t begin = test::now_ms();
  for (unsigned i = 0; i < appliances; ++i) shard.add(plan_of(shape, i, begin), poll);
}

// Of all sessions; `of` is a member of SimulatedAppliance that tells it of one by its number.
template <class Of>
std::uint64_t sum_of(test::SimulatedShard& shard, unsigned appliances, Of of) {
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < appliances; ++i) {
    const test::SimulatedAppliance& appliance = shard.appliance(i);
    for (std::size_t session = 0; session < appliance.plan().size(); ++session)
      sum += std::invoke(of, appliance, session);
  }
  return sum;
}

// What was due and is not there: 0 unless something is wrong.
std::uint64_t missing_of(test::SimulatedShard& shard) {
  std::uint64_t missing = 0;
  const std::int64_t settled = test::now_ms() - 660'000;
  for (std::size_t i = 0; i < shard.size(); ++i) {
    const auto& plan = shard.appliance(i).plan();
    for (std::size_t session = 0; session < plan.size(); ++session) {
      if (plan[session].stop_ms() + plan[session].late_after_ms < settled)
        missing += plan[session].shown_at(settled) - shard.appliance(i).read_of(session);
    }
  }
  return missing;
}

// An hour as a line for people, and as JSON.
std::string hour_of(unsigned hour, const Reading& before, const Reading& now, test::SimulatedShard& shard) {
  const std::string late = quantiles(before.lateness, now.lateness), news = quantiles(before.news, now.news);
  const auto& seconds = shard.per_second();
  const unsigned busiest = *std::max_element(seconds.end() - 3'600, seconds.end());
  const double heap = daemons_heap_mb(shard);
  fmt::print("{:4} {:9} {:9} {:9} {:8} {:8} {:9} {:8.0f}  {}  {}\n", hour, now.requests - before.requests,
             now.polls - before.polls, now.entries - before.entries, busiest, now.known, now.done, heap, late, news);
  std::fflush(stdout);
  return fmt::format(
      R"({{"hour":{},"requests":{},"polls":{},"new_entries":{},"busiest_second":{},"known":{},"done":{},)"
      R"("heap_mb":{:.1f},"lateness_s":[{}],"news_age_s":[{}]}})",
      hour, now.requests - before.requests, now.polls - before.polls, now.entries - before.entries, busiest, now.known,
      now.done, heap, late, news);
}

struct Fixed {
  unsigned appliances = 0;
  std::uint64_t polls = 0, entries = 0, adaptive_polls = 0, adaptive_entries = 0;
};

// Some of the same appliances through the same day, polled at the interval whatever comes of it.
void poll_at_fixed_interval(const DayShape& shape, Fixed& result) {
  test::SimulatedShard shard({.seed = shape.seed, .tick = kTick});
  PollSettings poll;
  poll.max_interval = poll.interval;
  add_fleet(shard, shape, result.appliances, poll);
  shard.run(std::chrono::hours{shape.hours});
  result.polls = sum_of(shard, result.appliances, &test::SimulatedAppliance::polls_of);
  result.entries = sum_of(shard, result.appliances, &test::SimulatedAppliance::read_of);
}

std::string run_day(const DayShape& shape, Fixed& fixed) {
  const double cpu_before = cpu_seconds();
  test::SimulatedShard shard(
      {.seed = shape.seed,
       .tick = kTick,
       .fingerprint_bytes = MemoryShares::fingerprints(DaemonSettings{}.memory_bytes, shape.appliances)});
  add_fleet(shard, shape, shape.appliances, {});
  const double heap_at_first = daemons_heap_mb(shard);
  fmt::print(
      "hour  requests     polls   entries  busiest    known      done  heap MB  lateness, s: 50, 95, 99, 99.9 %  "
      "age of news, s\n");
  const Reading first(shard);
  Reading before = first;
  std::string hours;
  for (unsigned hour = 0; hour < shape.hours; ++hour) {
    shard.run(1h);
    const Reading now(shard);
    hours += (hour == 0 ? "\n" : ",\n") + hour_of(hour, before, now, shard);
    before = now;
  }
  const double cpu = cpu_seconds() - cpu_before;
  fixed.adaptive_polls = sum_of(shard, fixed.appliances, &test::SimulatedAppliance::polls_of);
  fixed.adaptive_entries = sum_of(shard, fixed.appliances, &test::SimulatedAppliance::read_of);
  return fmt::format(R"("polls":{},"requests":{},"new_entries":{},"missing":{},"lateness_s":[{}],"news_age_s":[{}],)"
                     R"("heap_at_first_mb":{:.1f},"most_queue_mb":{:.2f},"cpu_s":{:.1f},"hours":[{}])",
                     before.polls, before.requests, before.entries, missing_of(shard),
                     quantiles(first.lateness, before.lateness), quantiles(first.news, before.news), heap_at_first,
                     static_cast<double>(shard.most_queue_bytes()) / 1e6, cpu, hours);
}

double per_entry(std::uint64_t polls, std::uint64_t entries) {
  return static_cast<double>(polls) / static_cast<double>(std::max<std::uint64_t>(entries, 1));
}

// The part of the figures that is about it.
std::string fixed_beside(const DayShape& shape, Fixed fixed) {
  poll_at_fixed_interval(shape, fixed);
  const double ours = per_entry(fixed.adaptive_polls, fixed.adaptive_entries);
  const double theirs = per_entry(fixed.polls, fixed.entries);
  fmt::print("polls per new entry, {} of the appliances: {:.2f}; at a fixed interval: {:.2f}\n", fixed.appliances, ours,
             theirs);
  return fmt::format(R"(,"fixed_interval":{{"appliances":{},"polls_per_new_entry":{:.3f},"ours":{:.3f}}})",
                     fixed.appliances, theirs, ours);
}

}  // namespace

std::string hours_of(const DayShape& shape, bool beside_fixed) {
  Fixed fixed{.appliances = std::max(shape.appliances / kOneFixedOf, 1u)};
  const std::string day = run_day(shape, fixed);
  const std::string beside = beside_fixed ? fixed_beside(shape, fixed) : std::string();
  return fmt::format(
      R"({{"appliances":{},"sessions":{},"simulated_hours":{},"seed":{},"quantiles":[0.5,0.95,0.99,0.999],{}{}}})"
      "\n",
      shape.appliances, shape.sessions, shape.hours, shape.seed, day, beside);
}

}  // namespace sessionlogd
