#include <gtest/gtest.h>

#include <set>

#include "bench/fleet/render.h"
#include "bench/fleet/script.h"
#include "bench/fleet/session.h"
#include "tests/bench/begin.h"
#include "tests/bench/honest_reader.h"

namespace fleet {
namespace {

Plan plan_of(std::uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  plan.appliances = 2;
  plan.begin = kBegin;
  return plan;
}

std::string log_at(const Plan& plan, std::size_t appliance, std::size_t index, Nanos at, Nanos freeze = kNever) {
  const Session session = make_session(plan, appliance, index);
  return render_log(plan, session, make_script(plan, session), moment_of(plan, session, at, freeze), freeze);
}

TEST(Model, IsTheSameForTheSameSeed) {
  for (std::size_t appliance = 0; appliance < 2; ++appliance) {
    for (std::size_t index = 0; index < 10; ++index) {
      const Nanos at = kBegin + 3 * kSecond;
      EXPECT_EQ(log_at(plan_of(5), appliance, index, at), log_at(plan_of(5), appliance, index, at));
      EXPECT_NE(log_at(plan_of(5), appliance, index, at), log_at(plan_of(6), appliance, index, at));
    }
  }
}

TEST(Model, SessionsStartInTheOrderOfTheirIndex) {
  for (const bool all_past : {false, true}) {
    Plan plan = plan_of(3);
    plan.sessions = 50;
    plan.all_past = all_past;
    for (std::size_t i = 1; i < plan.sessions; ++i) {
      EXPECT_LE(make_session(plan, 0, i - 1).start, make_session(plan, 0, i).start);
    }
  }
}

TEST(Model, NothingChangesAfterTheQuietMoment) {
  const Plan plan = plan_of(9);
  for (std::size_t index = 0; index < plan.sessions; ++index) {
    const Session session = make_session(plan, index % 2, index);
    const std::vector<Entry> script = make_script(plan, session);
    const Nanos quiet = quiet_from(plan, session, kNever);
    EXPECT_EQ(render_log(plan, session, script, quiet, kNever),
              render_log(plan, session, script, quiet + kHour, kNever));
    for (const Entry& entry : script) EXPECT_TRUE(state_at(plan, session, entry, quiet, kNever)) << entry.message;
  }
}

TEST(Model, AFrozenFleetIsFinal) {
  const Plan plan = plan_of(11);
  const Nanos freeze = kBegin + 5 * kSecond;
  for (std::size_t index = 0; index < plan.sessions; ++index) {
    const Session session = make_session(plan, 0, index);
    if (!session.exists(freeze, freeze)) continue;
    EXPECT_TRUE(session.is_final(freeze, freeze));
    for (const Entry& entry : make_script(plan, session)) {
      const std::optional<State> state =
          state_at(plan, session, entry, moment_of(plan, session, freeze, freeze), freeze);
      if (state) {
        EXPECT_TRUE(is_final_status(state->status));
      }
    }
  }
}

TEST(Model, AwsEntriesStayThemselvesWhileTheirLogTimeMoves) {
  Plan plan = plan_of(13);
  plan.dialects = Dialects::aws;
  std::size_t moved = 0;
  for (std::size_t index = 0; index < plan.sessions; ++index) {
    const Session session = make_session(plan, 0, index);
    for (const Entry& entry : make_script(plan, session)) {
      if (!entry.raw.empty() || !entry.has_start) continue;
      std::set<Nanos> log_times;
      for (Nanos at = session.start; at <= quiet_from(plan, session, kNever); at += kMomentLength) {
        const std::optional<State> state = state_at(plan, session, entry, at, kNever);
        if (!state) continue;
        EXPECT_EQ(state->start, entry.started);
        EXPECT_LE(state->log_time, at);
        log_times.insert(state->log_time);
      }
      moved += log_times.size() > 1 ? 1 : 0;
    }
  }
  EXPECT_GT(moved, 0u);
}

TEST(Model, AReshuffledResponseHoldsTheSame) {
  const Plan plan = plan_of(17);
  const Session session = make_session(plan, 0, 3);
  const std::vector<Entry> script = make_script(plan, session);
  const std::string body = render_log(plan, session, script, kBegin + kHour, kNever);
  const std::string other = render_log_reshuffled(plan, session, script, kBegin + kHour, kNever, 1);
  EXPECT_NE(body, other);
  EXPECT_EQ(raw_elements(body).size(), raw_elements(other).size());
}

}  // namespace
}  // namespace fleet
