#include "bench/fleet/life.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>

#include "bench/fleet/catalogue.h"
#include "bench/fleet/nature.h"
#include "bench/fleet/render.h"
#include "bench/fleet/script.h"
#include "tests/bench/begin.h"

namespace fleet {
namespace {

Plan plan_with(Fault fault, double share = 1) {
  Plan plan;
  plan.seed = 31;
  plan.sessions = 40;
  plan.entries = 10;
  plan.begin = kBegin;
  plan.faults.set(fault, share);
  return plan;
}

TEST(Life, ADeletedSessionIsGoneForGood) {
  const Plan plan = plan_with(Fault::vanish_session);
  const Session session = make_session(plan, 0, 20);
  EXPECT_TRUE(session.exists(session.gone - 1, kNever));
  EXPECT_FALSE(session.exists(session.gone, kNever));
  EXPECT_FALSE(session.exists(session.gone + kHour, kNever));
  EXPECT_TRUE(session.exists(session.gone + kHour, session.gone)) << "a frozen fleet deletes nothing";
}

TEST(Life, AReusedIdIsOneSessionAtATime) {
  const Plan plan = plan_with(Fault::reuse_id);
  const Catalogue catalogue(plan, 0);
  std::size_t heirs = 0;
  for (std::size_t i = 0; i < catalogue.size(); ++i) {
    for (std::size_t j = i + 1; j < catalogue.size(); ++j) {
      if (catalogue[i].id != catalogue[j].id) continue;
      ++heirs;
      EXPECT_LE(catalogue[i].gone, catalogue[j].start);
      EXPECT_EQ(catalogue.find(catalogue[i].id, kBegin - 1, kNever), i);
      EXPECT_EQ(catalogue.find(catalogue[i].id, catalogue[j].start, kNever), j);
    }
  }
  EXPECT_EQ(heirs, past_sessions(plan));
}

TEST(Life, GenerationsShareNoTime) {
  const Plan plan = plan_with(Fault::reuse_id);
  const std::size_t heir = past_sessions(plan) + running_sessions(plan);
  const Session first = make_session(plan, 0, 0), second = make_session(plan, 0, heir);
  ASSERT_EQ(first.id, second.id);
  for (const Entry& entry : make_script(plan, first)) EXPECT_LT(entry.started, second.start);
  for (const Entry& entry : make_script(plan, second)) EXPECT_GE(entry.started, second.start);
}

TEST(Life, AnUnannouncedEntryComesAfterTheEndAndChangesNoRow) {
  const Plan plan = plan_with(Fault::unannounced_entry);
  for (std::size_t i = 0; i < plan.sessions; ++i) {
    const Session session = make_session(plan, 0, i);
    ASSERT_NE(session.unannounced, kNever);
    const Nanos before = session.unannounced - 1, after = session.unannounced;
    const std::vector<Entry> script = make_script(plan, session);
    EXPECT_EQ(log_at(plan, session, script, before, kNever).total + 1,
              log_at(plan, session, script, after, kNever).total);
    EXPECT_GT(before, session.stop + plan.mix.max_lateness);
    EXPECT_EQ(render_session(session, i, "", before, kNever), render_session(session, i, "", after, kNever));
    EXPECT_GE(quiet_from(plan, session, kNever), after) << "it is not read to its end before";
  }
}

TEST(Life, ALongEntryIsThereFromTheStart) {
  Plan plan = plan_with(Fault::long_entry);
  plan.mix.vanish = 0;
  for (std::size_t i = 0; i < plan.sessions; ++i) {
    const Session session = make_session(plan, 0, i);
    const std::vector<Entry> script = make_script(plan, session);
    const auto is_long = [](const Entry& entry) { return entry.message.starts_with("A long report: "); };
    ASSERT_EQ(std::count_if(script.begin(), script.end(), is_long), 1);
    const Entry& entry = *std::find_if(script.begin(), script.end(), is_long);
    EXPECT_GT(entry.message.size(), 4'096u);
    EXPECT_EQ(label_in(entry.message), entry.label);
    EXPECT_TRUE(state_at(plan, session, entry, session.start, kNever));
  }
}

TEST(Life, AReopenedSessionHasLaterEntriesOnly) {
  const Plan plan = plan_with(Fault::reopen);
  for (std::size_t i = 0; i < plan.sessions; ++i) {
    const Session session = make_session(plan, 0, i);
    EXPECT_TRUE(session.is_final(session.reopened - 1, kNever));
    EXPECT_FALSE(session.is_final(session.reopened, kNever));
    EXPECT_TRUE(session.is_final(session.second_stop, kNever));
    std::size_t later = 0;
    for (const Entry& entry : make_script(plan, session)) {
      if (entry.appears < session.reopened) {
        EXPECT_LT(entry.steps.back().at, session.reopened) << "what was there stays as it was";
      } else {
        EXPECT_GE(entry.started, session.reopened);
        ++later;
      }
    }
    EXPECT_GT(later, 0u);
  }
}

TEST(Life, ANeverEndingSessionFallsSilent) {
  const Plan plan = plan_with(Fault::never_ending);
  const Session session = make_session(plan, 0, 30);
  EXPECT_FALSE(session.is_final(session.stop + kHour, kNever));
  EXPECT_FALSE(session.is_final(session.stop + kHour, session.stop)) << "also when the fleet freezes";
  for (const Entry& entry : make_script(plan, session)) EXPECT_LE(entry.appears, session.stop + plan.mix.max_lateness);
}

TEST(Life, ALateSessionRunsWithinTheFleetsLife) {
  const Session session = make_session(plan_with(Fault::late_session), 0, 30);
  EXPECT_LT(session.start, kBegin - 24 * kHour);
  EXPECT_GT(session.stop, kBegin);
}

TEST(Life, AnIdIsGivenAwayWhileItsSessionRuns) {
  const Plan plan = plan_with(Fault::given_away);
  const Catalogue catalogue(plan, 0);
  std::size_t given = 0;
  for (std::size_t i = 1; i < plan.sessions; ++i) {
    const Session &first = catalogue[i - 1], &second = catalogue[i];
    if (first.id != second.id) continue;
    ++given;
    EXPECT_GT(first.gone, first.start);
    EXPECT_LT(first.gone, first.stop) << "it runs";
    EXPECT_EQ(second.start, first.gone);
    EXPECT_EQ(catalogue.find(first.id, first.gone - 1, kNever), i - 1);
    EXPECT_EQ(catalogue.find(first.id, first.gone, kNever), i);
    EXPECT_NE(start_text(first, first.gone, kNever), start_text(second, first.gone, kNever));
  }
  EXPECT_GT(given, 5u);
}

TEST(Life, ASessionOpenedAgainOddlySpeaksOfOtherTimes) {
  const Plan plan = plan_with(Fault::reopened_oddly);
  std::size_t back_dated = 0, of_the_future = 0, corrected = 0, moved = 0;
  for (std::size_t i = 0; i < plan.sessions; ++i) {
    const Session session = make_session(plan, 0, i);
    for (const Entry& entry : make_script(plan, session)) {
      if (!entry.raw.empty()) continue;
      const bool is_new = entry.appears >= session.reopened;
      back_dated += is_new && entry.started <= session.stop ? 1 : 0;
      of_the_future += !is_new && entry.started > session.second_stop ? 1 : 0;
      if (is_new) continue;
      const State before = *state_at(plan, session, entry, session.reopened - 1, kNever);
      const State after = *state_at(plan, session, entry, session.second_stop + kHour, kNever);
      corrected += before.status != after.status && before.log_time == after.log_time ? 1 : 0;
      moved += before.status == after.status && before.log_time != after.log_time ? 1 : 0;
    }
  }
  EXPECT_GT(back_dated, 0u);
  EXPECT_GT(of_the_future, 0u);
  EXPECT_GT(corrected, 0u);
  EXPECT_GT(moved, 0u);
}

TEST(Life, AStartIsCorrectedOnce) {
  const Plan plan = plan_with(Fault::corrected_start);
  std::set<Session::Start> kinds;
  for (std::size_t i = 0; i < plan.sessions; ++i) {
    const Session session = make_session(plan, 0, i);
    kinds.insert(session.first_start);
    const std::string right = aws_time(session.start);
    EXPECT_NE(start_text(session, session.corrected - 1, kNever), right);
    EXPECT_EQ(start_text(session, session.corrected, kNever), right);
    EXPECT_EQ(start_text(session, session.start, session.start), right) << "also when the fleet freezes";
    EXPECT_EQ(told_start(session, session.corrected, kNever), session.start);
  }
  EXPECT_EQ(kinds.size(), 3u);
}

TEST(Life, AClearedLogHasNewEntriesOnly) {
  const Plan plan = plan_with(Fault::cleared_log);
  std::size_t cleared = 0, stayed = 0;
  for (std::size_t i = past_sessions(plan); i < plan.sessions; ++i) {
    const Session session = make_session(plan, 0, i);
    const std::vector<Entry> script = make_script(plan, session);
    std::set<std::string> labels;
    for (const Entry& entry : script) {
      const bool is_old = entry.appears < session.cleared;
      EXPECT_EQ(state_at(plan, session, entry, session.stop + kHour, kNever).has_value(), !is_old);
      (is_old ? cleared : stayed) += 1;
      if (entry.raw.empty()) {
        EXPECT_TRUE(labels.insert(entry.label).second) << "nobody could tell which one is gone";
      }
    }
  }
  EXPECT_GT(cleared, 0u);
  EXPECT_GT(stayed, 0u);
}

TEST(Life, APagedLogSaysSoUntilItIsWhole) {
  Plan plan = plan_with(Fault::paged_log);
  plan.entries = 80;
  std::size_t paged = 0;
  for (std::size_t i = 0; i < plan.sessions; ++i) {
    const Session session = make_session(plan, 0, i);
    const std::vector<Entry> script = make_script(plan, session);
    const Log before = log_at(plan, session, script, session.paged.to - 1, kNever);
    const Log after = log_at(plan, session, script, quiet_from(plan, session, kNever), kNever);
    EXPECT_LE(before.shown.size(), 30u);
    EXPECT_EQ(after.shown.size(), script.size());
    EXPECT_EQ(log_at(plan, session, script, session.paged.to - 1, session.paged.to - 1).total,
              log_at(plan, session, script, session.paged.to - 1, session.paged.to - 1).shown.size())
        << "whole when the fleet freezes";
    if (before.total == before.shown.size()) continue;
    ++paged;
    const std::string body = render_log(plan, session, script, session.paged.to - 1, kNever);
    EXPECT_TRUE(body.find("otal") != std::string::npos || body.find("next") != std::string::npos) << body;
  }
  EXPECT_GT(paged, 0u);
}

TEST(Life, ShortEntriesAreManyInASmallBody) {
  const Plan plan = plan_with(Fault::short_entries);
  std::set<bool> small;
  for (std::size_t i = 0; i < 8; ++i) {
    const Session session = make_session(plan, 0, i);
    const std::vector<Entry> script = make_script(plan, session);
    EXPECT_GT(script.size(), 16'384u);
    small.insert(render_log(plan, session, script, session.stop + kHour, kNever).size() < 1u << 20);
  }
  EXPECT_EQ(small.size(), 2u);
}

TEST(Life, SevenDigitsBecomeSix) {
  Plan plan = plan_with(Fault::seven_digits);
  plan.mix.vanish = 0;
  std::set<bool> rounded;
  for (std::size_t appliance = 0; appliance < 8; ++appliance) {
    const Session session = make_session(plan, appliance, 30);
    for (const Entry& entry : make_script(plan, session)) {
      if (!entry.raw.empty() || entry.appears >= session.six_digits_from) continue;
      const State before = *state_at(plan, session, entry, entry.appears, kNever);
      const State after = *state_at(plan, session, entry, session.stop + kHour, kNever);
      const bool aws = session.dialect == Dialect::aws;
      const Nanos first = aws ? before.start : before.log_time, later = aws ? after.start : after.log_time;
      EXPECT_EQ(first % 100, 0);
      EXPECT_EQ(later % kMicrosecond, 0);
      EXPECT_LT(std::abs(first - later), kMicrosecond);
      EXPECT_TRUE(session.rounds || later <= first);
      rounded.insert(later > first);
    }
  }
  EXPECT_EQ(rounded.size(), 2u);
}

TEST(Life, AnEntryWithoutAStartTicks) {
  Plan plan = plan_with(Fault::ticks_without_start);
  std::size_t ticking = 0;
  for (std::size_t i = past_sessions(plan); i < plan.sessions; ++i) {
    const Session session = make_session(plan, 0, i);
    for (const Entry& entry : make_script(plan, session)) {
      if (!entry.raw.empty()) continue;
      std::set<Nanos> times;
      for (Nanos at = entry.appears; at < session.stop; at += kMomentLength) {
        const std::optional<State> state = state_at(plan, session, entry, at, kNever);
        if (!state || is_final_status(state->status)) continue;
        EXPECT_EQ(state->start, 0);
        times.insert(state->log_time);
      }
      ticking += times.size() > 1 ? 1 : 0;
    }
  }
  EXPECT_GT(ticking, 0u);
}

TEST(Telling, AClockStepsToAndFroAndIsRightInBetween) {
  Plan plan = plan_with(Fault::clock_steps);
  plan.clock_steps = 12;
  std::set<bool> ahead, of_entries;
  for (std::size_t appliance = 0; appliance < 10; ++appliance) {
    const auto telling = telling_of(plan, appliance);
    ASSERT_EQ(telling->steps.size(), 12u);
    Nanos before = plan.begin;
    for (const ClockStep& step : telling->steps) {
      EXPECT_GT(step.when.from, before);
      EXPECT_LT(step.when.to, plan.begin + plan.duration);
      EXPECT_EQ(telling->told(step.when.from - 1), step.when.from - 1);
      EXPECT_EQ(telling->told(step.when.from), step.when.from + (step.is_of_entries ? step.by : 0));
      if (step.is_of_entries) {
        EXPECT_GT(step.by, -7 * kHour) << "a client with its usual look-back would leave it alone";
      }
      before = step.when.to;
      ahead.insert(step.by > 0);
      of_entries.insert(step.is_of_entries);
    }
  }
  EXPECT_EQ(ahead.size(), 2u);
  EXPECT_EQ(of_entries.size(), 2u);
}

TEST(Telling, LocalTimesSayNothingOfTheirZone) {
  const Plan plan = plan_with(Fault::local_times);
  for (std::size_t appliance = 0; appliance < 4; ++appliance) {
    const Session session = make_session(plan, appliance, 30);
    const std::string text = start_text(session, session.start, kNever);
    EXPECT_FALSE(text.ends_with('Z'));
    EXPECT_EQ(parse_time(text), session.start + *session.telling->local_zone);
    EXPECT_EQ(told_start(session, session.start, kNever), session.start) << "windows are in UTC";
  }
}

TEST(Nature, AClockIsOffByTheSameForEverything) {
  const Plan plan = plan_with(Fault::clock);
  const Nature nature = nature_of(plan, 0);
  ASSERT_NE(nature.clock_offset, 0);
  EXPECT_EQ(make_session(plan_of_appliance(plan, 0), 0, 7).start, make_session(plan, 0, 7).start + nature.clock_offset);
}

TEST(Nature, ClocksAreOffEitherWay) {
  const Plan plan = plan_with(Fault::clock);
  std::set<bool> ahead;
  for (std::size_t i = 0; i < 20; ++i) ahead.insert(nature_of(plan, i).clock_offset > 0);
  EXPECT_EQ(ahead.size(), 2u);
}

TEST(Catalogue, RowsShiftWhenASpareSessionIsDeleted) {
  const Plan plan = plan_with(Fault::shift_delete);
  Catalogue catalogue(plan, 0);
  Listing page;
  page.offset = 10;
  page.limit = 5;
  const auto before = catalogue.rows(page, kBegin, kNever);
  catalogue.delete_one(false);
  const auto after = catalogue.rows(page, kBegin, kNever);
  EXPECT_EQ(after.total, before.total - 1);
  EXPECT_EQ(after.numbers.front(), before.numbers.at(1));
}

TEST(Catalogue, RowsShiftBackWhenASpareSessionComesUp) {
  const Plan plan = plan_with(Fault::shift_insert);
  Catalogue catalogue(plan, 0);
  Listing page;
  page.offset = 10;
  page.limit = 5;
  const auto before = catalogue.rows(page, kBegin, kNever);
  catalogue.insert_one(false);
  const auto after = catalogue.rows(page, kBegin, kNever);
  EXPECT_EQ(after.total, before.total + 1);
  EXPECT_EQ(after.numbers.at(1), before.numbers.front());
}

}  // namespace
}  // namespace fleet
