#include "bench/fleet/life.h"

#include <algorithm>

#include "bench/fleet/random.h"

namespace fleet {

namespace {

constexpr Nanos kDay = 24 * kHour;

Nanos whole_micros(Nanos at) { return at - at % kMicrosecond; }

// Ids are reused in pairs: the first session of the run takes the id of the first past one, and so on.
bool takes_an_id(const Plan& plan, std::size_t appliance, std::size_t index) {
  const std::size_t first = past_sessions(plan) + running_sessions(plan);
  return index >= first && index < plan.sessions && index - first < past_sessions(plan) &&
         plan.faults.strikes(Fault::reuse_id, plain_session(plan, appliance, index).seed);
}

bool share_an_id(Session& session, const Plan& plan, std::size_t appliance, std::size_t index) {
  const std::size_t distance = past_sessions(plan) + running_sessions(plan);
  if (plan.faults.share(Fault::reuse_id) <= 0) return false;
  if (takes_an_id(plan, appliance, index)) {
    session.id = plain_session(plan, appliance, index - distance).id;
    return true;
  }
  if (!takes_an_id(plan, appliance, index + distance)) return false;
  // Sometimes at once, so that nobody sees it missing.
  const Session heir = plain_session(plan, appliance, index + distance);
  Random random(session.seed ^ 0x1d);
  session.gone = random.chance(0.5) ? heir.start : std::max(plan.begin, heir.start - random.between(0, 2 * kSecond));
  return true;
}

void open_again(Session& session, const Plan& plan, Random& random) {
  const Nanos quiet = session.stop + plan.mix.max_lateness + kSecond;
  const Nanos earliest = plan.begin + plan.duration / 10;
  session.reopened = whole_micros(std::max(quiet, earliest) + random.between(0, plan.duration / 5));
  session.second_stop =
      whole_micros(session.reopened + random.between(plan.session_length / 5, plan.session_length / 2));
}

}  // namespace

void give_life(Session& session, const Plan& plan, std::size_t appliance, std::size_t index) {
  if (index >= plan.sessions || plan.all_past || share_an_id(session, plan, appliance, index)) return;
  const auto strikes = [&](Fault fault) { return plan.faults.strikes(fault, session.seed); };
  const bool past = index < past_sessions(plan);
  Random random(session.seed ^ 0x11fe);
  if (strikes(Fault::vanish_session)) {
    session.gone =
        std::max(session.start, plan.begin) + random.between(plan.session_length / 4, 2 * plan.session_length);
  } else if (strikes(Fault::reopen)) {
    open_again(session, plan, random);
  } else if (!past && strikes(Fault::never_ending)) {
    session.never_ends = true;
  } else if (!past && strikes(Fault::late_session)) {
    session.late = true;
    session.start = whole_micros(plan.begin - random.between(10 * kDay, 28 * kDay));
    // Only while it runs can a client that looks back a day learn of it: until after all bad times (see nature.h).
    session.stop = std::max(session.stop, whole_micros(plan.begin + plan.duration * 9 / 10));
  }
}

}  // namespace fleet
