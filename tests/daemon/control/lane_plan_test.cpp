// What is to be done with each part, as a table of what the group says and what became of the lanes.
#include "daemon/control/lane_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd {

// For messages.
void PrintTo(const LanePlan::Step& step, std::ostream* out) {
  constexpr const char* kWords[] = {"take over", "release", "drop", "hand back", "rejoin"};
  *out << kWords[static_cast<std::size_t>(step.what)] << " " << step.partition;
}

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Do = LanePlan::Do;
using Is = LanePlan::Is;
using Step = LanePlan::Step;
using Numbers = std::set<Partition>;

class LanePlans : public testing::Test {
 protected:
  void told(Numbers owned, Numbers revoked = {}, bool is_member = true) {
    plan_.told({.is_member = is_member, .owned = std::move(owned), .revoked = std::move(revoked)}, now_);
  }
  std::vector<Step> next(std::chrono::milliseconds later = 0ms) { return plan_.next(now_ += later); }
  // It is ours, and its sources are polled.
  void own(Numbers partitions) {
    told(partitions);
    next();
    for (const Partition partition : partitions) plan_.recovered(partition);
    ASSERT_THAT(next(), IsEmpty());
  }
  // The group says so again and again.
  std::chrono::milliseconds until_taken_over() {
    std::chrono::milliseconds waited{0};
    while (next(100ms).empty()) waited += 100ms;
    return waited + 100ms;
  }

  LanePlan plan_;
  SteadyTime now_{1'000h};
};

TEST_F(LanePlans, TakeOverWhatIsOursAndReleaseWhatIsNot) {
  EXPECT_THAT(next(), IsEmpty());
  told({1, 2});
  EXPECT_THAT(next(), UnorderedElementsAre(Step{Do::kTakeOver, 1}, Step{Do::kTakeOver, 2}));
  EXPECT_THAT(next(), IsEmpty());
  plan_.recovered(1);
  plan_.recovered(2);
  told({2}, {1});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kRelease, 1}));
  EXPECT_THAT(next(1s), IsEmpty()) << "its sources stop, then the last commit";
  plan_.gone(1);
  EXPECT_THAT(next(), ElementsAre(Step{Do::kHandBack, 1}));
  told({2});
  EXPECT_THAT(next(1h), IsEmpty());
  EXPECT_EQ(plan_.is(2), Is::kOurs);
}

TEST_F(LanePlans, HandBackInTimeWhatDoesNotEnd) {
  own({1});
  told({}, {1});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kRelease, 1}));
  EXPECT_THAT(next(LanePlan::kReleaseMayTake - 1ms), IsEmpty());
  EXPECT_THAT(next(1ms), ElementsAre(Step{Do::kDrop, 1}, Step{Do::kHandBack, 1}));
  told({});
  EXPECT_THAT(next(1h), IsEmpty());
  told({1});
  EXPECT_THAT(next(1h), IsEmpty()) << "the old lane's thread has not ended";
  plan_.gone(1);
  EXPECT_THAT(next(), ElementsAre(Step{Do::kTakeOver, 1}));
}

TEST_F(LanePlans, GiveUpATakeoverBeforeItsPartIsHandedBack) {
  told({1});
  next();
  told({}, {1});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kDrop, 1}));
  EXPECT_THAT(next(1s), IsEmpty());
  plan_.gone(1);
  EXPECT_THAT(next(), ElementsAre(Step{Do::kHandBack, 1}));
}

TEST_F(LanePlans, HandBackAtOnceWhatHasNoLane) {
  told({}, {1});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kHandBack, 1}));
  told({}, {1});
  EXPECT_THAT(next(LanePlan::kHandsBackAgainAfter - 1ms), IsEmpty()) << "once";
  EXPECT_THAT(next(1ms), ElementsAre(Step{Do::kHandBack, 1}))
      << "still revoked: it was given and taken away again before anybody looked";
  told({});
  told({}, {1});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kHandBack, 1})) << "it was given and taken away meanwhile";
}

TEST_F(LanePlans, KeepWhatIsLostUntilTheGroupIsBack) {
  own({1, 2});
  told({1, 2}, {}, false);
  EXPECT_THAT(next(1h), IsEmpty()) << "as long as its commits are accepted";
  told({2});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kRelease, 1}));
  EXPECT_THAT(next(LanePlan::kReleaseMayTake), ElementsAre(Step{Do::kDrop, 1})) << "nobody waits for it";
  EXPECT_EQ(plan_.is(2), Is::kOurs) << "the same lane goes on";
}

TEST_F(LanePlans, DoNotTakeOverWhatIsLost) {
  told({1});
  next();
  told({1}, {}, false);
  EXPECT_THAT(next(), ElementsAre(Step{Do::kDrop, 1}));
  plan_.gone(1);
  EXPECT_THAT(next(1h), IsEmpty());
  told({1});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kTakeOver, 1}));
}

// Lost and given again at once, so that only the last is seen.
TEST_F(LanePlans, DoNotNoticeWhatIsOursAgain) {
  own({1});
  told({1}, {}, false);
  told({1});
  EXPECT_THAT(next(1h), IsEmpty());
}

TEST_F(LanePlans, TakeAgainWhatWasFencedIfItIsStillOurs) {
  own({1});
  plan_.failed(1, LanePlan::Failure::kFenced, now_);
  EXPECT_THAT(next(), ElementsAre(Step{Do::kDrop, 1}));
  EXPECT_THAT(next(1h), IsEmpty()) << "its pollers have not ended";
  plan_.gone(1);
  EXPECT_THAT(next(), ElementsAre(Step{Do::kTakeOver, 1}));
  plan_.recovered(1);

  plan_.failed(1, LanePlan::Failure::kFenced, now_);
  next();
  plan_.gone(1);
  EXPECT_THAT(next(LanePlan::kFirstWaitWhenFenced - 1ms), IsEmpty());
  told({});
  EXPECT_THAT(next(1h), IsEmpty());
}

TEST_F(LanePlans, TakeAgainWhatWasLostWithoutWaitingLongerEachTime) {
  own({1});
  for (std::size_t i = 0; i < 2 * LanePlan::kFencedTooOften; ++i) {
    plan_.failed(1, LanePlan::Failure::kLost, now_);
    EXPECT_THAT(next(), ElementsAre(Step{Do::kDrop, 1}));
    plan_.gone(1);
    EXPECT_EQ(until_taken_over(), LanePlan::kFirstWaitWhenFenced);
    plan_.recovered(1);
  }
}

TEST_F(LanePlans, TakeAgainAtOnceWhatWasFencedAndIsGivenAnew) {
  own({1});
  plan_.failed(1, LanePlan::Failure::kFenced, now_);
  next();
  plan_.gone(1);
  told({});
  told({1});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kTakeOver, 1}));
}

TEST_F(LanePlans, WaitLongerEachTimeThatItIsFencedAndJoinAnewWhenThatDoesNotEnd) {
  own({1});
  std::vector<std::chrono::milliseconds> waits;
  std::vector<Step> last;
  for (std::size_t i = 0; i < LanePlan::kFencedTooOften; ++i) {
    plan_.failed(1, LanePlan::Failure::kFenced, now_);
    last = next();
    plan_.gone(1);
    waits.push_back(until_taken_over());
    plan_.recovered(1);
  }
  EXPECT_THAT(waits, ElementsAre(2'500ms, 5'000ms, 10'000ms, 20'000ms, 40'000ms));
  EXPECT_THAT(last, ElementsAre(Step{Do::kDrop, 1}, Step{Do::kRejoin}));
  now_ += LanePlan::kFencedAgainWithin;
  plan_.failed(1, LanePlan::Failure::kFenced, now_);
  next();
  plan_.gone(1);
  EXPECT_EQ(until_taken_over(), 2'500ms) << "that is long ago";
}

TEST_F(LanePlans, TryAgainWhatWasRefusedAfterAWhileAtAReloadAndWhenItIsGivenAnew) {
  const auto refuse = [&] {
    plan_.failed(1, LanePlan::Failure::kRefused, now_);
    EXPECT_THAT(next(), ElementsAre(Step{Do::kDrop, 1}));
    plan_.gone(1);
    EXPECT_THAT(next(1min), IsEmpty());
    EXPECT_TRUE(plan_.is_refused(1));
  };
  told({1});
  next();
  refuse();
  EXPECT_THAT(next(LanePlan::kWaitWhenRefused), ElementsAre(Step{Do::kTakeOver, 1}));
  EXPECT_FALSE(plan_.is_refused(1));
  refuse();
  plan_.try_again();
  EXPECT_THAT(next(), ElementsAre(Step{Do::kTakeOver, 1}));
  refuse();
  told({});
  told({1});
  EXPECT_THAT(next(), ElementsAre(Step{Do::kTakeOver, 1}));
}

TEST_F(LanePlans, TakeOverSoManyAtATimeBesideThoseThatStandStill) {
  Numbers all;
  for (Partition i = 0; i < 60; ++i) all.insert(i);
  told(all);
  EXPECT_EQ(next().size(), LanePlan::kMostTakeovers);
  EXPECT_THAT(next(), IsEmpty());
  plan_.recovered(0);
  plan_.reads(1, 7, now_ + 1s);
  EXPECT_EQ(next(LanePlan::kTakeoverMayStandStill).size(), LanePlan::kMostTakeovers - 1) << "one of them reads";
  plan_.reads(1, 7, now_);
  EXPECT_EQ(next(1s).size(), 1u) << "now it stands still, too";
  plan_.reads(2, 1, now_);
  EXPECT_THAT(next(), IsEmpty()) << "one more than there may be";
}

TEST_F(LanePlans, ReleaseAllWhenWeStop) {
  own({1, 2});
  told({1, 2, 3});
  next();
  plan_.leave();
  EXPECT_THAT(next(), UnorderedElementsAre(Step{Do::kRelease, 1}, Step{Do::kRelease, 2}, Step{Do::kDrop, 3}));
  told({}, {1, 2, 3});
  plan_.gone(3);
  EXPECT_THAT(next(1s), ElementsAre(Step{Do::kHandBack, 3}));
  told({}, {1, 2});
  EXPECT_THAT(next(LanePlan::kReleaseMayTake), UnorderedElementsAre(Step{Do::kDrop, 1}, Step{Do::kHandBack, 1},
                                                                    Step{Do::kDrop, 2}, Step{Do::kHandBack, 2}));
  EXPECT_FALSE(plan_.is_idle());
  plan_.gone(1);
  plan_.gone(2);
  EXPECT_TRUE(plan_.is_idle());
}

TEST_F(LanePlans, ReleaseWhenWeStopAlsoWhatTheGroupCannotTakeBack) {
  own({1});
  told({1}, {}, false);
  plan_.leave();
  EXPECT_THAT(next(), ElementsAre(Step{Do::kRelease, 1}));
}

using Verdict = LaneDoubt::Verdict;
using Why = LaneDoubt::Why;

class LaneDoubts : public testing::Test {
 protected:
  Verdict look(bool is_member, bool is_quiet, std::chrono::milliseconds later) {
    now_ += later;
    const Verdict verdict = doubt_.look({is_member, is_quiet, is_shut_out_}, queue_, now_);
    if (verdict.asks && queue_.pushed++ == queue_.committed) queue_.oldest = now_;
    return verdict;
  }
  void commit() {
    queue_.committed = queue_.pushed;
    queue_.oldest.reset();
    queue_.offered.reset();
  }

  static constexpr bool kMember = true, kLost = false, kQuiet = true, kAwake = false;
  static constexpr Verdict kNothing{}, kAsks{.asks = true}, kNotAnswered{.rests = Why::kNotAnswered},
      kStoodStill{.rests = Why::kStoodStill}, kShutOut{.rests = Why::kShutOut},
      kAsksAndStoodStill{true, Why::kStoodStill};
  LaneDoubt doubt_;
  LaneDoubt::Queue queue_;
  bool is_shut_out_ = false;
  SteadyTime now_{1'000h};
};

TEST_F(LaneDoubts, AreNoneOfAMemberWhoseBatchesWaitForTheNextCommit) {
  EXPECT_EQ(look(kMember, kAwake, 0ms), kNothing);
  queue_.pushed = 1;
  queue_.oldest = now_;
  EXPECT_EQ(look(kMember, kAwake, 1h), kNothing);
}

TEST_F(LaneDoubts, RestWhenACommitIsNotAnsweredOfAMemberToo) {
  queue_.pushed = 1;
  queue_.oldest = queue_.offered = now_;
  EXPECT_EQ(look(kMember, kAwake, 2'900ms), kNothing);
  EXPECT_EQ(look(kMember, kAwake, 100ms), kNotAnswered);
  commit();
  EXPECT_EQ(look(kMember, kAwake, 0ms), kNothing);
}

TEST_F(LaneDoubts, RestWhileTheLaneIsShutOut) {
  is_shut_out_ = true;
  EXPECT_EQ(look(kMember, kAwake, 0ms), kShutOut);
  EXPECT_EQ(look(kMember, kAwake, 1h), kShutOut);
  is_shut_out_ = false;
  EXPECT_EQ(look(kMember, kAwake, 0ms), kNothing);
}

TEST_F(LaneDoubts, AskForACommitAtOnceAndEveryTwoSecondsWhenWeAreLost) {
  EXPECT_EQ(look(kLost, kAwake, 0ms), kAsks);
  commit();
  EXPECT_EQ(look(kLost, kAwake, 1'800ms), kNothing);
  EXPECT_EQ(look(kLost, kAwake, 100ms), kAsks);
  EXPECT_EQ(look(kLost, kAwake, 2'900ms), kNothing) << "one at a time";
  EXPECT_EQ(look(kLost, kAwake, 100ms), kNotAnswered);
  commit();
  EXPECT_EQ(look(kLost, kAwake, 0ms), kAsks);
  EXPECT_EQ(look(kLost, kAwake, 3s), kNotAnswered);
  EXPECT_EQ(look(kMember, kAwake, 0ms), kNothing) << "the group is back, and nothing is offered";
}

TEST_F(LaneDoubts, RestAfterTheProcessStoodStillUntilACommitBehindThatIsAccepted) {
  queue_ = {.pushed = 5, .committed = 4, .oldest = now_};
  EXPECT_EQ(look(kMember, kQuiet, 0ms), kAsksAndStoodStill);
  EXPECT_EQ(look(kMember, kQuiet, 100ms), kStoodStill);
  queue_.committed = 5;
  EXPECT_EQ(look(kMember, kAwake, 1h), kStoodStill) << "that was begun before";
  queue_.committed = 6;
  EXPECT_EQ(look(kMember, kAwake, 100ms), kNothing);
  EXPECT_EQ(look(kMember, kQuiet, 0ms), kAsksAndStoodStill) << "and again";
}

}  // namespace
}  // namespace sessionlogd
