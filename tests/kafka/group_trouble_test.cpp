// What a group does about daemons that know no group, a topic that is not as it was, and a broker that stands still.
#include <gmock/gmock.h>

#include <csignal>
#include <future>

#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_sink.h"
#include "tests/kafka/group_bed.h"
#include "tests/kafka/suite.h"
#include "tests/kafka/trouble.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class KafkaGroupTrouble : public KafkaTest {
 protected:
  static std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const StateMismatch& mismatch) {
      return mismatch.what();
    }
    return "not refused";
  }
  // A daemon that has all sources for itself, at its start.
  static void start_alone(const GroupBed& bed) {
    KafkaSinkSettings settings = bed.settings;
    settings.group.clear();
    settings.transactional_id = "alone";
    RowsSeen seen;
    KafkaSink(settings, kEcsFormat, {}).recover(seen);
  }
  static void settle(const GroupMemberHere& member, std::size_t partitions) {
    EXPECT_TRUE(eventually([&] { return member.working().size() == partitions; }));
  }
};

TEST_F(KafkaGroupTrouble, ADaemonWithoutAGroupLeavesAGroupsStateAlone) {
  GroupBed bed(one_broker(), "alone-late", 2);
  GroupMemberHere(bed).prepare();
  EXPECT_THAT(refusal([&] { start_alone(bed); }),
              AllOf(HasSubstr("state topic alone-late-state belongs to group group"), HasSubstr("group = \"group\"")));
  EXPECT_NO_THROW(GroupMemberHere(bed).prepare());
}

TEST_F(KafkaGroupTrouble, AStateThatADaemonHasIsNoGroups) {
  GroupBed bed(one_broker(), "alone-first", 2);
  start_alone(bed);
  EXPECT_THAT(refusal([&] { GroupMemberHere(bed).prepare(); }), HasSubstr("a group needs an empty state topic"));
  EXPECT_NO_THROW(start_alone(bed));
}

// Both write before they look.
TEST_F(KafkaGroupTrouble, OfADaemonAndAFounderAtOnceOneSeesTheOther) {
  for (const char* point : {"hold-before:begin:1", "hold-after:commit:1"}) {
    SCOPED_TRACE(point);
    GroupBed bed(one_broker(), std::string("alone-") + point[5], 2);
    GroupMemberHere member(bed);
    plan_trouble(point);
    std::future<std::string> founding =
        std::async(std::launch::async, [&] { return refusal([&] { member.prepare(); }); });
    ASSERT_TRUE(eventually(is_held));
    const std::string alone = refusal([&] { start_alone(bed); });
    let_go();
    const std::string founded = founding.get();
    EXPECT_TRUE(alone != "not refused" || founded != "not refused");
    EXPECT_THAT(founded, HasSubstr("a group needs an empty state topic"));
    EXPECT_NO_THROW(start_alone(bed));  // nothing is left of what was begun
  }
}

TEST_F(KafkaGroupTrouble, EventsBesideAnEmptyStateTopicAreRefused) {
  GroupBed bed(one_broker(), "group-events", 2);
  Message event;
  event.value = "{}";
  bed.outside.write(bed.topic, {event});
  EXPECT_THAT(refusal([&] { GroupMemberHere(bed).prepare(); }), HasSubstr("what was delivered is not known"));
}

TEST_F(KafkaGroupTrouble, PartitionsThatAreAddedAreHeldAndLeftAlone) {
  GroupBed bed(one_broker(), "group-more", 3);
  bed.settings.properties = {{"topic.metadata.refresh.interval.ms", "500", std::nullopt}};
  GroupMemberHere member(bed);
  member.join();
  settle(member, 3);
  const auto before = bed.incarnations();
  bed.outside.add_partitions(bed.settings.state_topic, 5);
  EXPECT_TRUE(eventually([&] {
    const auto members = member.group->members(kHangGuard);
    return members && members->size() == 1 && members->front().partitions.size() == 5;
  }));
  EXPECT_EQ(member.membership().owned, (std::set<Partition>{0, 1, 2}));
  settle(member, 3);
  EXPECT_EQ(bed.incarnations(), before);
  GroupMemberHere next(bed);
  next.prepare();
  EXPECT_EQ(next.group->partitions(), 3u);
  member.leave();
  bed.expect_all_read_once();
}

// Longer than the session: the member is told that it has lost everything, and nobody else was there to take it.
TEST_F(KafkaGroupTrouble, LanesOutliveAGroupThatCannotBeReached) {
  Cluster cluster{ClusterSettings{}};
  GroupBed bed(cluster, "group-lost", 4);
  GroupMemberHere member(bed);
  member.join();
  settle(member, 4);
  const auto before = bed.incarnations();
  cluster.signal(0, SIGSTOP);
  EXPECT_TRUE(eventually([&] { return !member.membership().is_member; }));
  EXPECT_EQ(member.membership().owned.size(), 4u);
  cluster.signal(0, SIGCONT);
  EXPECT_TRUE(eventually([&] { return member.membership().is_member; }));
  const std::uint64_t commits = member.commits;
  EXPECT_TRUE(eventually([&] { return member.commits > commits + 20 && member.working().size() == 4; }));
  EXPECT_THAT(member.ends(), IsEmpty());
  EXPECT_EQ(bed.incarnations(), before);
  member.leave();
  bed.expect_all_read_once();
}

TEST_F(KafkaGroupTrouble, AMemberWhoseThreadsHangIsReplacedAndComesBack) {
  GroupBed bed(one_broker(), "group-hangs", 4);
  GroupMemberHere hanging(bed), other(bed);
  hanging.join();
  other.join();
  settle(hanging, 2);
  settle(other, 2);
  hanging.may_stay = false;
  EXPECT_TRUE(eventually([&] { return !hanging.membership().is_member; }));
  EXPECT_EQ(other.membership().owned.size(), 2u) << "before anybody else has its partitions";
  settle(other, 4);
  hanging.may_stay = true;
  settle(hanging, 2);
  settle(other, 2);
  EXPECT_THAT(other.ends(), IsEmpty());
  hanging.leave();
  other.leave();
  bed.expect_all_read_once();
}

TEST_F(KafkaGroupTrouble, OneThatJoinsAnewBeginsAnew) {
  GroupBed bed(one_broker(), "group-anew", 2);
  GroupMemberHere member(bed);
  member.join();
  settle(member, 2);
  const auto before = bed.incarnations();
  member.group->rejoin();
  EXPECT_TRUE(eventually([&] { return bed.incarnations() != before; }));
  settle(member, 2);
  EXPECT_FALSE(member.group->has_left());
  member.leave();
  bed.expect_all_read_once();
}

}  // namespace
}  // namespace sessionlogd::test
