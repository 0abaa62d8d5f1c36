#include "bench/fleet/telling.h"

#include <algorithm>
#include <iterator>

#include "bench/fleet/random.h"

namespace fleet {

namespace {

constexpr Nanos kMinute = 60 * kSecond;
constexpr Nanos kDay = 24 * kHour;

// What is told of sessions and entries never lies so far back that a client with its usual look-back would rightly
// leave it alone.
ClockStep step_within(Span slice, Random& random) {
  const Nanos length = (slice.to - slice.from) / 4;
  const Nanos from = slice.from + random.between(0, length);
  ClockStep step{{from, from + random.between(length, 3 * length - 1)}, 0, {}, random.chance(0.5)};
  const bool ahead = random.chance(0.5);
  const std::uint64_t kind = random.below(8);
  Nanos by = 0;
  if (kind < 3) by = random.between(6, 90) * kSecond;
  if (kind == 3 || kind == 4) by = random.between(1, 6) * kHour + random.between(0, 59) * kMinute;
  if (kind == 5 || kind == 6) by = random.between(1, 100) * kDay;
  if (kind == 7) by = 400 * kDay;
  step.by = ahead ? by : -by;
  if (kind >= 5 && (!ahead || kind == 7)) step.is_of_entries = false;
  if (kind == 7 && random.chance(0.5)) step.date = "Fri, 31 Dec 9999 23:59:59 GMT";
  return step;
}

// The offsets of zones where appliances stand.
constexpr Nanos kZones[] = {-8 * kHour, -5 * kHour, kHour, 2 * kHour, 5 * kHour + kHour / 2, 9 * kHour, 13 * kHour};

}  // namespace

const ClockStep* Telling::step_at(Nanos at) const {
  const auto step = std::ranges::find_if(steps, [&](const ClockStep& each) { return each.when.holds(at); });
  return step == steps.end() ? nullptr : &*step;
}

Nanos Telling::told(Nanos at) const {
  const ClockStep* step = step_at(at);
  return step != nullptr && step->is_of_entries ? at + step->by : at;
}

std::shared_ptr<const Telling> telling_of(const Plan& own, std::size_t appliance) {
  const std::uint64_t seed = seed_of(own.seed ^ 0x7e11, appliance);
  const bool steps = own.faults.strikes(Fault::clock_steps, seed);
  const bool local = own.faults.strikes(Fault::local_times, seed);
  if (own.all_past || (!steps && !local)) return nullptr;
  Random random(seed);
  auto telling = std::make_shared<Telling>();
  if (local) telling->local_zone = random.pick(kZones);
  const auto count = static_cast<Nanos>(steps ? own.clock_steps : 0);
  for (Nanos i = 0; i < count; ++i) {
    const Nanos from = own.begin + own.duration / 20, length = own.duration * 17 / 20 / count;
    telling->steps.push_back(step_within({from + i * length, from + (i + 1) * length}, random));
  }
  return telling;
}

std::string time_text(const Telling* telling, Dialect dialect, Nanos told) {
  const bool local = telling != nullptr && telling->local_zone;
  if (local) told += *telling->local_zone;
  std::string text = dialect == Dialect::aws ? aws_time(told) : azure_time(told);
  if (local && text.ends_with('Z')) text.pop_back();
  return text;
}

}  // namespace fleet
