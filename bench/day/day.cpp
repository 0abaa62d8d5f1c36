// A day of a fleet on simulated time, by the daemon's own sources (schedule, budget, breaker, discovery, reader,
// history) without sockets, as tests/support/simulated_shard says. Two things are asked of it:
//
//   day [--arrivals MODEL|FILE] ...   what the pace is worth: ours against fixed intervals (comparison.h)
//   day --hours-of-fleet FIGURES ...  how a large fleet's day goes, hour by hour (hours.h)
//
// What it cannot say: lateness for want of processor time, since the clock stands still while it computes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

#include "bench/day/comparison.h"
#include "bench/day/hours.h"
#include "bench/day/plan.h"
#include "bench/day/trace.h"
#include "core/base/json_text.h"

namespace {

using namespace sessionlogd;

constexpr unsigned kComparedAppliances = 10, kComparedSessions = 2'000;

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text).flush()) throw std::runtime_error(path + ": cannot be written");
}

Plans plans_of(const DayShape& shape) {
  Plans plans;
  for (unsigned i = 0; i < shape.appliances; ++i) plans.push_back(plan_of(shape, i, 0));
  return plans;
}

void run_comparison(const std::string& arrivals, DayShape shape, const CLI::App& app, const std::string& json) {
  ComparedDay day{.hours = shape.hours, .seed = shape.seed};
  if (const auto model = arrivals_of(arrivals)) {
    shape.arrivals = *model;
    if (app.count("--appliances") == 0) shape.appliances = kComparedAppliances;
    if (app.count("--sessions") == 0) shape.sessions = kComparedSessions;
    day.plans = plans_of(shape);
  } else {
    day.plans = read_trace(arrivals,
                           {.appliances = app.count("--appliances") == 0 ? 0 : shape.appliances, .hours = shape.hours});
  }
  append_json_string(day.arrivals, arrivals);
  std::size_t sessions = 0;
  for (const auto& plan : day.plans) sessions += plan.size();
  fmt::print("{}: {} appliances, {} sessions, {} h\n", arrivals, day.plans.size(), sessions, shape.hours);
  const PaceComparison result = compare(day);
  if (!json.empty()) write(json, result.json());
}

}  // namespace

int main(int argc, char** argv) {
  DayShape shape;
  std::string arrivals = "even", json, hours;
  bool no_fixed = false;
  CLI::App app("A day of a fleet on simulated time");
  app.add_option("--arrivals", arrivals,
                 "even, poisson, bursts, mixed, or a file of sessions as bench/day/trace.h says");
  app.add_option("--appliances", shape.appliances)->check(CLI::PositiveNumber);
  app.add_option("--sessions", shape.sessions)->check(CLI::PositiveNumber);
  app.add_option("--hours", shape.hours)->check(CLI::Range(1, 24));
  app.add_option("--seed", shape.seed);
  app.add_option("--json", json, "where the figures go");
  app.add_flag("--no-fixed", no_fixed, "with --hours-of-fleet: at our pace only");
  app.add_option("--hours-of-fleet", hours, "no comparison: hour by hour, and where those figures go");
  CLI11_PARSE(app, argc, argv);
  try {
    if (hours.empty()) {
      run_comparison(arrivals, shape, app, json);
    } else if (const auto model = arrivals_of(arrivals)) {
      shape.arrivals = *model;
      write(hours, hours_of(shape, !no_fixed));
    } else {
      throw std::runtime_error("--hours-of-fleet takes no file of sessions");
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
