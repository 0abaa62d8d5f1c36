#include "bench/fleet/life.h"

#include <algorithm>

#include "bench/fleet/random.h"
#include "bench/fleet/script.h"

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

// Sessions that begin in the run, by twos: while the first one runs, the second one comes up under its id.
bool gives_its_id_away(const Plan& plan, std::size_t appliance, std::size_t index) {
  const std::size_t first = past_sessions(plan) + running_sessions(plan);
  return index >= first && index + 1 < plan.sessions && (index - first) % 2 == 0 &&
         !takes_an_id(plan, appliance, index) && !takes_an_id(plan, appliance, index + 1) &&
         plan.faults.strikes(Fault::given_away, plain_session(plan, appliance, index).seed);
}

Nanos given_away_at(const Session& session) {
  return whole_micros(session.start +
                      Random(session.seed ^ 0x61e)
                          .between((session.stop - session.start) * 2 / 5, (session.stop - session.start) * 4 / 5));
}

bool is_given_away(Session& session, const Plan& plan, std::size_t appliance, std::size_t index) {
  if (plan.faults.share(Fault::given_away) <= 0) return false;
  if (gives_its_id_away(plan, appliance, index)) {
    session.gone = given_away_at(session);
    return true;
  }
  if (index == 0 || !gives_its_id_away(plan, appliance, index - 1)) return false;
  const Session before = plain_session(plan, appliance, index - 1);
  const Nanos length = session.stop - session.start;
  session.id = before.id;
  session.start = given_away_at(before);
  session.stop = session.start + length;
  // As of an appliance that was restored: it may have begun before the one whose id it has.
  Random random(session.seed ^ 0x61f);
  if (random.chance(0.5)) session.began_before = random.between(kHour / 6, kHour);
  return true;
}

void correct_start(Session& session, const Plan& plan, Random& random) {
  static constexpr Session::Start kWrong[] = {Session::Start::planned, Session::Start::of_year_one,
                                              Session::Start::of_seven_digits};
  session.first_start = random.pick(kWrong);
  const Nanos since = std::max(session.start, plan.begin);
  session.corrected = since + random.between(kSecond / 2, std::max(session.stop - since, kSecond) + kSecond);
}

void open_again(Session& session, const Plan& plan, Random& random) {
  const Nanos quiet = session.stop + plan.mix.max_lateness + kSecond;
  const Nanos earliest = plan.begin + plan.duration / 10;
  session.reopened = whole_micros(std::max(quiet, earliest) + random.between(0, plan.duration / 5));
  session.second_stop =
      whole_micros(session.reopened + random.between(plan.session_length / 5, plan.session_length / 2));
}

// While it runs, or long after, when it runs again.
void clear_log(Session& session, const Plan& plan, bool past, Random& random) {
  if (past || random.chance(0.5)) {
    open_again(session, plan, random);
    session.cleared = session.reopened;
    return;
  }
  const Nanos since = std::max(session.start, plan.begin);
  session.cleared = since + random.between((session.stop - since) / 3, session.stop - since);
}

void page_log(Session& session, const Plan& plan, bool past, Random& random) {
  const Nanos from = past ? plan.begin : session.stop;
  session.paged = {session.start, from + random.between(0, plan.duration / 5)};
  // A page holds all of a short log: nothing is told wrongly.
  if (make_script(plan, session).size() <= kLogPage) session.paged = {};
}

}  // namespace

void give_life(Session& session, const Plan& plan, std::size_t appliance, std::size_t index) {
  if (index >= plan.sessions || plan.all_past || share_an_id(session, plan, appliance, index) ||
      is_given_away(session, plan, appliance, index)) {
    return;
  }
  const auto strikes = [&](Fault fault) { return plan.faults.strikes(fault, session.seed); };
  const bool past = index < past_sessions(plan);
  Random random(session.seed ^ 0x11fe);
  if (strikes(Fault::vanish_session)) {
    session.gone =
        std::max(session.start, plan.begin) + random.between(plan.session_length / 4, 2 * plan.session_length);
  } else if (strikes(Fault::reopen)) {
    open_again(session, plan, random);
  } else if (strikes(Fault::reopened_oddly)) {
    open_again(session, plan, random);
    session.is_odd_again = true;
  } else if (strikes(Fault::corrected_start)) {
    correct_start(session, plan, random);
  } else if (strikes(Fault::cleared_log)) {
    clear_log(session, plan, past, random);
  } else if (strikes(Fault::paged_log)) {
    page_log(session, plan, past, random);
  } else if (strikes(Fault::short_entries)) {
    session.is_of_short_entries = true;
  } else if (strikes(Fault::unannounced_entry)) {
    // When who reads what has ended for as long as entries may come late has done so.
    const Nanos quiet = std::max(session.stop, plan.begin) + 3 * plan.mix.max_lateness;
    session.unannounced = whole_micros(quiet + random.between(0, plan.duration / 5));
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
