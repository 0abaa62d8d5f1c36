// Lanes of a group, with their threads and a set of sources: what the group says × what becomes of a lane × what a
// reload is waiting for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/control/group_of_lanes.h"
#include "tests/sinks/captured_log.h"

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class GroupLanes : public testing::Test {
 protected:
  void own_all() {
    it_.tell({0, 1, 2});
    it_.run_until([&] { return it_.polled().size() == 4; });
  }
  bool is_polled(const std::string& id) const {
    const auto all = it_.polled();
    return std::ranges::any_of(all, [&](const std::string& each) { return each.starts_with(id + "/"); });
  }

  GroupOfLanes it_;
};

TEST_F(GroupLanes, PollTheSourcesOfPartsThatAreOurs) {
  it_.tell({1});
  it_.run_until([&] { return it_.polled().size() == 2; });
  EXPECT_TRUE(is_polled("b1") && is_polled("c1"));
  EXPECT_EQ(it_.commits(1), 1u) << "which says that we are the owner";
  it_.tell({0, 1});
  it_.run_until([&] { return is_polled("a0"); });
  EXPECT_EQ(it_.recovered(1), 1u) << "only what must move moves";
  EXPECT_EQ(it_.lanes().view().count(PartitionState::kOwned), 2u);
}

TEST_F(GroupLanes, CommitWhatWasReadBeforeTheyHandAPartBack) {
  own_all();
  it_.hold("commit", 1);
  it_.read("b1", "one");
  it_.read("c1", "two");
  it_.tell({0, 2}, {1});
  it_.run_until([&] { return it_.polled().size() == 2; });
  EXPECT_THAT(it_.released(), IsEmpty());
  it_.let_go("commit", 1);
  it_.run_until([&] { return it_.released().contains(1); });
  EXPECT_THAT(it_.committed(1), ElementsAre("one", "two"));
}

TEST_F(GroupLanes, HandAPartBackInTimeWhenItsCommitHangsAndWaitForItsThread) {
  own_all();
  it_.hold("commit", 1);
  it_.read("b1", "one");
  it_.run_until([&] { return it_.is_held("commit", 1); });
  it_.tell({0, 2}, {1});
  it_.run_until([&] { return it_.released().contains(1); });
  it_.tell({0, 1, 2});
  it_.run_for(500ms);
  EXPECT_EQ(it_.recovered(1), 1u) << "the old lane's thread has not ended";
  it_.let_go("commit", 1);
  it_.run_until([&] { return it_.recovered(1) == 2 && is_polled("b1"); });
}

TEST_F(GroupLanes, AreTakenOverThoughTheGroupDoesNotSayWhoItsMembersAre) {
  it_.hold("members", 0);
  it_.tell({0});
  it_.run_until([&] { return it_.is_held("members", 0); });
  it_.tell({0, 1});
  it_.run_until([&] { return it_.polled().size() == 3; });
  EXPECT_TRUE(it_.is_held("members", 0));
}

TEST_F(GroupLanes, GiveUpATakeoverThatIsRevoked) {
  it_.hold("recover", 1);
  it_.tell({1});
  it_.run_until([&] { return it_.is_held("recover", 1); });
  it_.tell({}, {1});
  it_.run_for(300ms);
  EXPECT_THAT(it_.released(), IsEmpty()) << "its producer is there still";
  it_.let_go("recover", 1);
  it_.run_until([&] { return it_.released().contains(1); });
  EXPECT_THAT(it_.polled(), IsEmpty());
}

TEST_F(GroupLanes, TryATakeoverAgainThatCannotBeMadeNow) {
  it_.fail("recover", 1, ErrorKind::kTryLater);
  it_.tell({1});
  it_.run_until([&] { return is_polled("b1"); });
}

TEST_F(GroupLanes, RefuseOnePartAndPollTheOthersAndTryAgainAtAReload) {
  it_.fail("recover", 1, ErrorKind::kRefused);
  it_.tell({0, 1, 2});
  it_.run_until([&] { return it_.lanes().view().count(PartitionState::kRefused) == 1 && it_.polled().size() == 2; });
  it_.reload({"a0", "b1", "c1", "d2"});
  it_.run_until([&] { return it_.polled().size() == 4; });
  EXPECT_EQ(it_.lanes().view().count(PartitionState::kRefused), 0u);
}

TEST_F(GroupLanes, EndAPartThatWasTakenAwayAndTakeItAgainIfItIsOurs) {
  own_all();
  it_.take_away(1);
  it_.read("b1", "one");
  it_.run_until([&] { return !is_polled("b1") && !is_polled("c1"); });
  EXPECT_EQ(it_.polled().size(), 2u) << "the others go on";
  EXPECT_EQ(it_.lanes().view().counts.fenced, 1u);
  it_.run_until([&] { return is_polled("b1") && is_polled("c1"); });
  EXPECT_THAT(it_.committed(1), IsEmpty()) << "what the old life read is dropped with its histories";
}

TEST_F(GroupLanes, GoOnWithWhatIsLostWhileItsCommitsAreAcceptedAndRestWhenTheyAreNotAnswered) {
  own_all();
  const std::size_t before = it_.commits(1);
  it_.tell({0, 1, 2}, {}, false);
  it_.run_until([&] { return it_.commits(1) > before + 1; });
  EXPECT_FALSE(it_.rests("b1"));
  it_.hold("commit", 1);
  it_.run_until([&] { return it_.rests("b1"); });
  EXPECT_FALSE(it_.rests("a0"));
  it_.let_go("commit", 1);
  it_.run_until([&] { return !it_.rests("b1"); });
  EXPECT_EQ(it_.recovered(1), 1u);
}

TEST_F(GroupLanes, RestWhileNobodyKnowsWhoHasShutThemOut) {
  own_all();
  it_.shut_out(1, true);
  it_.run_until([&] { return it_.rests("b1"); });
  EXPECT_FALSE(it_.rests("a0"));
  EXPECT_EQ(it_.lanes().view().partitions[1].state, PartitionState::kInDoubt);
  EXPECT_THAT(it_.lanes().view().partitions[1].why, HasSubstr("shut out"));
  it_.shut_out(1, false);
  it_.run_until([&] { return !it_.rests("b1"); });
  EXPECT_EQ(it_.recovered(1), 1u) << "it was still the owner";
}

TEST_F(GroupLanes, RestWhenABrokerDoesNotAnswerThoughTheGroupSaysThatAllIsOurs) {
  own_all();
  it_.hold("commit", 1);
  it_.read("b1", "one");
  it_.run_until([&] { return it_.rests("b1"); });
  EXPECT_FALSE(it_.rests("a0"));
  EXPECT_EQ(it_.lanes().view().partitions[1].state, PartitionState::kInDoubt);
  EXPECT_EQ(it_.lanes().view().count(PartitionState::kOwned), 2u) << "what is cut off is not owned";
  it_.let_go("commit", 1);
  it_.run_until([&] { return !it_.rests("b1"); });
  EXPECT_EQ(it_.lanes().view().count(PartitionState::kOwned), 3u);
}

TEST_F(GroupLanes, CountWhyTheyEnded) {
  own_all();
  const auto ended = [&] {
    const GroupCounts counts = it_.lanes().view().counts;
    return std::vector{counts.revoked, counts.lost, counts.fenced};
  };
  it_.tell({0, 1}, {2});
  it_.run_until([&] { return it_.released().contains(2); });
  EXPECT_THAT(ended(), ElementsAre(1, 0, 0));
  it_.tell({0, 1}, {}, false);
  it_.take_away(1);
  it_.run_until([&] { return !is_polled("b1"); });
  EXPECT_THAT(ended(), ElementsAre(1, 1, 0)) << "it has found out by itself what the group cannot tell it";
  it_.tell_lost({}, {0});
  it_.run_until([&] { return it_.released().contains(0); });
  EXPECT_THAT(ended(), ElementsAre(1, 2, 0));
}

// Others have taken everything over.
TEST_F(GroupLanes, SayOfAProcessThatStoodStillOneLineAndNotOneOfEachPart) {
  own_all();
  for (const Partition partition : {0u, 1u, 2u}) it_.take_away(partition);
  const CapturedLog log;
  it_.guard.stamp(FreezeGuard::now() + 4s);
  it_.run_until([&] { return it_.lanes().view().counts.lost == 3; });
  EXPECT_THAT(log.text(), HasSubstr("stood still"));
  EXPECT_THAT(log.text(), Not(HasSubstr("error")));
  EXPECT_EQ(it_.lanes().view().counts.fenced, 0u);
}

TEST_F(GroupLanes, AskNothingAfterTheProcessStoodStillUntilACommitIsAccepted) {
  own_all();
  const std::size_t before = it_.commits(1);
  it_.hold("commit", 1);
  it_.guard.stamp(FreezeGuard::now() + 4s);
  it_.run_until([&] { return it_.rests("b1") && it_.is_held("commit", 1) && !it_.rests("a0"); });
  EXPECT_EQ(it_.lanes().view().counts.frozen, 1u);
  it_.let_go("commit", 1);
  it_.run_until([&] { return !it_.rests("b1"); });
  EXPECT_GT(it_.commits(1), before);
}

// The group takes a part away and gives it back at once, while a poller is inside a step or its logout.
TEST_F(GroupLanes, StartNoPollerOfANewLifeBeforeTheLastOfTheOldHasStopped) {
  for (const bool is_noticed : {true, false}) {
    own_all();
    const std::size_t recovered = it_.recovered(1);
    it_.hold_pollers(true);
    it_.tell({0, 2}, {1});
    if (is_noticed) it_.run_for(100ms);
    it_.tell({0, 1, 2});
    it_.run_for(200ms);
    it_.read("b1", "of the old life");
    EXPECT_EQ(it_.recovered(1), recovered) << "no takeover beside an old poller";
    it_.hold_pollers(false);
    const std::size_t more = is_noticed ? 1 : 0;
    it_.run_until([&] { return it_.recovered(1) == recovered + more && it_.polled().size() == 4; });
    EXPECT_EQ(it_.two_lives_at_once(), 0u);
  }
}

// What it reads is thrown away, whatever comes of it.
TEST_F(GroupLanes, DropWhatAPollerOfAnEndedLifeReads) {
  own_all();
  it_.hold_pollers(true);
  it_.take_away(1);
  it_.read("c1", "shut out");
  it_.run_until([&] { return it_.lanes().view().counts.fenced == 1; });
  it_.read("b1", "too late");
  it_.hold_pollers(false);
  it_.run_until([&] { return it_.recovered(1) == 2 && it_.polled().size() == 4; });
  it_.read("b1", "in time");
  it_.run_until([&] { return !it_.committed(1).empty(); });
  EXPECT_THAT(it_.committed(1), ElementsAre("in time"));
}

enum class Says { kAssigned, kRevoked, kLost };
enum class Awaits { kNothing, kRecover, kCommit, kPollers };

// A reload is answered, and everything is as it should be, whatever the group says at whatever a lane waits for.
class ReloadTable : public testing::TestWithParam<std::tuple<Says, Awaits>> {};

TEST_P(ReloadTable, IsAnsweredAndEndsWhereItShould) {
  const auto [says, awaits] = GetParam();
  GroupOfLanes it;
  if (awaits == Awaits::kRecover) it.hold("recover", 1);
  it.tell(says == Says::kAssigned ? std::set<Partition>{1} : std::set<Partition>{0, 1});
  if (awaits == Awaits::kRecover) {
    it.run_until([&] { return it.is_held("recover", 1); });
  } else {
    it.run_until([&] { return it.polled().size() >= 2; });
  }
  if (awaits == Awaits::kCommit) it.hold("commit", 1);
  it.read("b1", "one");
  if (awaits == Awaits::kCommit) it.run_until([&] { return it.is_held("commit", 1); });
  if (awaits == Awaits::kPollers) it.hold_pollers(true);
  it.reload({"a0", "c1", "e1"});  // one leaves, one comes
  it.run_for(20ms);
  if (says == Says::kAssigned) it.tell({0, 1});
  if (says == Says::kRevoked) it.tell({0}, {1});
  if (says == Says::kLost) it.tell({0, 1}, {}, false);
  it.run_for(150ms);
  it.let_go("recover", 1);
  it.let_go("commit", 1);
  it.hold_pollers(false);
  it.run_until([&] { return it.reloads() == 1; });
  if (says == Says::kRevoked) {
    it.run_until([&] { return it.released().contains(1); });
    it.run_until([&] { return it.polled().size() == 1; });
  } else {
    if (says == Says::kLost) it.tell({0, 1});
    it.run_until([&] { return it.polled().size() == 3; });
  }
  const std::size_t read = awaits == Awaits::kRecover ? 0 : 1;
  it.run_until([&] { return it.committed(1).size() == read; });
  EXPECT_EQ(it.two_lives_at_once(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Group, ReloadTable,
                         testing::Combine(testing::Values(Says::kAssigned, Says::kRevoked, Says::kLost),
                                          testing::Values(Awaits::kNothing, Awaits::kRecover, Awaits::kCommit,
                                                          Awaits::kPollers)));

class StopTable : public testing::TestWithParam<Awaits> {};

// SIGTERM during a takeover, in doubt, and during a reload.
TEST_P(StopTable, HandsEverythingBackInTime) {
  GroupOfLanes it;
  if (GetParam() == Awaits::kRecover) it.hold("recover", 1);
  it.tell({0, 1});
  it.run_until([&] { return GetParam() == Awaits::kRecover ? it.is_held("recover", 1) : it.polled().size() == 3; });
  if (GetParam() == Awaits::kCommit) {
    it.fail("commit", 1, ErrorKind::kTryLater);
    it.hold("commit", 1);
    it.read("b1", "one");
    it.run_until([&] { return it.is_held("commit", 1); });
  }
  if (GetParam() == Awaits::kPollers) it.hold_pollers(true);
  it.reload({"a0"});
  it.run_for(20ms);
  it.lanes().leave();
  it.tell({}, {0, 1});
  it.run_until([&] { return it.released().size() == 2; });
  it.let_go("recover", 1);
  it.let_go("commit", 1);
  it.hold_pollers(false);
  it.run_until([&] { return it.has_left() && it.lanes().has_ended() && it.reloads() == 1; });
  EXPECT_THAT(it.polled(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Group, StopTable,
                         testing::Values(Awaits::kNothing, Awaits::kRecover, Awaits::kCommit, Awaits::kPollers));

}  // namespace
}  // namespace sessionlogd::test
