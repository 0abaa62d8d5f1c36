#include "bench/fleet/life.h"

#include <gtest/gtest.h>

#include <set>

#include "bench/fleet/catalogue.h"
#include "bench/fleet/nature.h"
#include "bench/fleet/script.h"

namespace fleet {
namespace {

constexpr Nanos kBegin = 1'800'000'000 * kSecond;

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
