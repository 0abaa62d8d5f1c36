#include "bench/fleet/nature.h"

#include <algorithm>

#include "bench/fleet/random.h"

namespace fleet {

namespace {

constexpr Nanos kMinute = 60 * kSecond;
constexpr std::size_t kRefusedAbove = 100;
constexpr std::size_t kFewRows = 30;
constexpr std::size_t kFewerRows = 5;  // so that a small fleet, too, has pages

// Some time in the first half of the fleet's life.
Span bad_time(const Plan& plan, Random& random) {
  const Nanos from = plan.begin + random.between(plan.duration / 10, plan.duration / 2);
  return {from, from + random.between(plan.duration / 20, plan.duration / 5)};
}

}  // namespace

Nature nature_of(const Plan& plan, std::size_t appliance) {
  Nature nature;
  if (plan.all_past) return nature;
  const std::uint64_t seed = seed_of(plan.seed ^ 0x4a7, appliance);
  const auto strikes = [&](Fault fault) { return plan.faults.strikes(fault, seed); };
  Random random(seed);
  const Nanos off = random.between(1, random.chance(0.5) ? 10 : 180) * kMinute + random.between(0, 59) * kSecond;
  const Nanos offset = random.chance(0.5) ? off : -off;
  const Span refusing = bad_time(plan, random), down = bad_time(plan, random);
  const bool refuses_limits = random.chance(0.5);
  const Span failing = bad_time(plan, random);
  const Span no_log = bad_time(plan, random), blind = bad_time(plan, random), shuffles = bad_time(plan, random);
  const Span ignores_offset = bad_time(plan, random);
  const auto total_lie = static_cast<TotalLie>(random.below(4));

  if (strikes(Fault::clock)) nature.clock_offset = offset;
  const auto here = [&](Span span) { return Span{span.from + nature.clock_offset, span.to + nature.clock_offset}; };
  if (strikes(Fault::version)) nature.refuses_versions = here(refusing);
  if (strikes(Fault::down)) nature.is_down = here(down);
  if (strikes(Fault::login_limit)) {
    nature.refuses_refresh = true;
    nature.tokens_void_every = std::max<Nanos>(plan.duration / 3, 3 * kSecond);
  }
  if (strikes(Fault::server_errors)) nature.has_server_errors = here(failing);
  if (strikes(Fault::early_expiry)) nature.tokens_expire_every = std::max<Nanos>(plan.duration / 8, kSecond);
  if (strikes(Fault::second_client)) nature.tokens_void_every = std::max<Nanos>(plan.duration / 10, kSecond);
  nature.has_one_session = strikes(Fault::one_session);
  nature.is_dead = strikes(Fault::dead);
  if (strikes(Fault::page_limit))
    (refuses_limits ? nature.greatest_limit : nature.most_rows) = refuses_limits ? kRefusedAbove : kFewRows;
  if (strikes(Fault::no_log)) nature.says_no_log = here(no_log);
  if (strikes(Fault::blind)) nature.is_blind = here(blind);
  if (strikes(Fault::shuffled_listings)) {
    nature.shuffles = here(shuffles);
    nature.most_rows = kFewerRows;
  }
  if (strikes(Fault::total_lies)) {
    nature.total_lie = total_lie;
    if (total_lie == TotalLie::none) nature.ignores_offset = here(ignores_offset);
    nature.most_rows = kFewerRows;
  }
  nature.has_short_retention = strikes(Fault::short_retention);
  return nature;
}

Plan plan_of_appliance(const Plan& plan, std::size_t appliance) {
  Plan own = plan;
  own.begin += nature_of(plan, appliance).clock_offset;
  return own;
}

}  // namespace fleet
