#include "bench/fleet/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/fleet/life.h"
#include "bench/fleet/random.h"

namespace fleet {

namespace {

constexpr std::string_view kPolicies[] = {"nightly", "gold", "Tägliche Sicherung", "prod \"eu\"", "毎日のバックアップ"};
constexpr std::string_view kAwsTypes[] = {"Policy",  "Policy",          "Task", "Job", "RetentionActivity",
                                          "FLRTask", "ArchiveRetrieval"};
constexpr std::string_view kAzureTypes[] = {"PolicyBackup", "PolicySnapshot", "BackupRetention", "RestoreVms",
                                            "HealthCheck"};

struct Ending {
  std::string_view aws, aws_result, azure;
};
constexpr Ending kEndings[] = {{"Succeeded", "Success", "Success"},
                               {"Succeeded", "Success", "Success"},
                               {"Warning", "Warning", "Warning"},
                               {"Failed", "Failed", "Error"},
                               {"Canceled", "Cancelled", "Canceled"}};

std::string uuid(Random& random) {
  const std::uint64_t a = random.next(), b = random.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff,
                     0x8000 | (b >> 48 & 0x3fff), b & 0xffffffffffff);
}

// Old Azure appliances number their sessions, and so the same ids turn up on several of them.
std::string make_id(Dialect dialect, std::size_t appliance, std::size_t index, Random& random) {
  if (dialect == Dialect::azure && appliance / 2 % 2 == 1) return std::to_string(38 + index);
  return uuid(random);
}

// A point in the index-th of `count` equal parts of [from, to], so that starts are in the order of their index.
Nanos spread(Nanos from, Nanos to, std::size_t index, std::size_t count, Random& random) {
  const Nanos part = (to - from) / static_cast<Nanos>(std::max<std::size_t>(count, 1));
  return from + part * static_cast<Nanos>(index) + random.between(0, part - 1);
}

// A fifth of the sessions ended before the fleet began, a few run while it begins, the others start during its first
// four fifths.
void place(Session& session, const Plan& plan, std::size_t index, Random& random) {
  const Nanos length = random.between(plan.session_length / 5, plan.session_length);
  if (plan.all_past) {
    session.start =
        spread(plan.begin - 20 * kHour, plan.begin - kHour - plan.session_length, index, plan.sessions, random);
    session.stop = session.start + length;
    return;
  }
  const std::size_t past = past_sessions(plan), running = running_sessions(plan);
  if (index >= plan.sessions) {
    // Recent enough for a client that lists again what began a while ago.
    session.start = random.between(plan.begin - kHour, plan.begin - plan.session_length);
    session.stop = session.start + length;
  } else if (index < past) {
    session.start = spread(plan.begin - 3 * kHour, plan.begin - kHour, index, past, random);
    session.stop = session.start + length;
  } else if (index < past + running) {
    session.start = spread(plan.begin - kHour / 2, plan.begin - kSecond, index - past, running, random);
    session.stop = plan.begin + length;
  } else {
    const std::size_t rest = plan.sessions - past - running;
    session.start = spread(plan.begin, plan.begin + plan.duration * 4 / 5, index - past - running, rest, random);
    session.stop = session.start + length;
  }
}

void write_digits(Session& session, const Plan& plan, std::size_t appliance) {
  const std::uint64_t seed = seed_of(plan.seed ^ 0xd161, appliance);
  if (!plan.faults.strikes(Fault::seven_digits, seed)) return;
  // Late enough to be seen, early enough for the log to be at rest then.
  Random random(session.seed ^ 0xd161);
  session.six_digits_from = random.between(session.start, session.stop + plan.mix.max_lateness / 2);
  session.rounds = seed % 2 == 0;
}

}  // namespace

std::string source_name(const Plan& plan, std::size_t appliance) {
  return fmt::format("{}-{:04}", dialect_of(plan, appliance) == Dialect::aws ? "aws" : "azure", appliance);
}

Session plain_session(const Plan& plan, std::size_t appliance, std::size_t index) {
  Session session;
  session.seed = seed_of(seed_of(plan.seed, appliance), index);
  session.index = index;
  session.dialect = dialect_of(plan, appliance);
  Random random(session.seed);
  session.id = make_id(session.dialect, appliance, index, random);
  session.policy = random.pick(kPolicies);
  const bool aws = session.dialect == Dialect::aws;
  session.type = aws ? random.pick(kAwsTypes) : random.pick(kAzureTypes);
  const Ending& ending = random.pick(kEndings);
  session.final_status = aws ? ending.aws : ending.azure;
  session.final_result = ending.aws_result;
  place(session, plan, index, random);
  session.start -= session.start % kMicrosecond;
  session.stop -= session.stop % kMicrosecond;
  return session;
}

Session make_session(const Plan& plan, std::size_t appliance, std::size_t index) {
  Session session = plain_session(plan, appliance, index);
  session.telling = telling_of(plan, appliance);
  give_life(session, plan, appliance, index);
  write_digits(session, plan, appliance);
  return session;
}

namespace {

constexpr Nanos kPlannedEarlier = 77 * kSecond;

bool is_corrected(const Session& session, Nanos at, Nanos freeze) {
  return session.first_start == Session::Start::right || at >= std::min(session.corrected, freeze);
}

// As it is told once it is right.
Nanos right_start(const Session& session) {
  const Nanos start = session.start - session.began_before;
  return session.telling ? session.telling->told(start) : start;
}

}  // namespace

std::string start_text(const Session& session, Nanos at, Nanos freeze) {
  const auto text = [&](Nanos told) { return time_text(session.telling.get(), session.dialect, told); };
  if (is_corrected(session, at, freeze)) return text(right_start(session));
  switch (session.first_start) {
    case Session::Start::planned:
      return text(right_start(session) - kPlannedEarlier);
    case Session::Start::of_year_one:
      return session.dialect == Dialect::aws ? "0001-01-01T00:00:00" : "0001-01-01T00:00:00Z";
    default:
      return text(right_start(session) + 300);
  }
}

Nanos told_start(const Session& session, Nanos at, Nanos freeze) {
  if (is_corrected(session, at, freeze)) return right_start(session);
  if (session.first_start == Session::Start::of_year_one) return kLongAgo;
  return right_start(session) - (session.first_start == Session::Start::planned ? kPlannedEarlier : 0);
}

Nanos quiet_from(const Plan& plan, const Session& session, Nanos freeze) {
  const Nanos last = (session.reopened < freeze ? session.second_stop : session.stop) + plan.mix.max_lateness;
  const Nanos unannounced = session.unannounced == kNever ? last : session.unannounced;
  return std::min(std::max({last, session.paged.to, unannounced}), freeze);
}

Nanos moment_of(const Plan& plan, const Session& session, Nanos at, Nanos freeze) {
  return std::min(at - at % kMomentLength, quiet_from(plan, session, freeze));
}

}  // namespace fleet
