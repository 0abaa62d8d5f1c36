// A group of members in this process: who owns what, and that nothing is written twice whoever comes and goes.
#include <gmock/gmock.h>

#include <algorithm>
#include <future>

#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_check.h"
#include "sinks/kafka/kafka_delivered.h"
#include "tests/kafka/group_bed.h"
#include "tests/kafka/suite.h"
#include "tests/kafka/trouble.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::ThrowsMessage;

using Members = std::vector<std::unique_ptr<GroupMemberHere>>;

class KafkaGroups : public KafkaTest {
 protected:
  static void add(Members& members, GroupBed& bed) {
    members.push_back(std::make_unique<GroupMemberHere>(bed));
    members.back()->join();
  }

  // Each partition has one lane, and each member its share.
  static bool is_settled(const Members& members, std::size_t partitions) {
    std::set<Partition> all;
    std::size_t sum = 0;
    for (const auto& member : members) {
      const std::set<Partition> mine = member->working();
      if (mine.size() < partitions / members.size()) return false;
      all.insert(mine.begin(), mine.end());
      sum += mine.size();
    }
    return all.size() == partitions && sum == partitions;
  }
  static void settle(const Members& members, std::size_t partitions) {
    EXPECT_TRUE(eventually([&] { return is_settled(members, partitions); }));
  }
  static void stop(Members& members) {
    for (const auto& member : members) member->group->leave();
    for (const auto& member : members) EXPECT_TRUE(eventually([&] { return member->group->has_left(); }));
    members.clear();
  }
  static std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const StateMismatch& mismatch) {
      return mismatch.what();
    }
    return "not refused";
  }
};

TEST_F(KafkaGroups, OneMemberOwnsAllAndTheNextGoesOnBehindIt) {
  GroupBed bed(one_broker(), "group-one");
  Members members;
  add(members, bed);
  settle(members, 12);
  const std::vector<GroupMember> described = members[0]->group->members(kHangGuard).value();
  ASSERT_THAT(described, SizeIs(1));
  EXPECT_THAT(described[0].partitions, SizeIs(12));
  EXPECT_EQ(described[0].client_id, "sessionlogd@" + described[0].host);
  const std::vector<PartitionOwner> owners = members[0]->group->owners(kHangGuard).value();
  ASSERT_THAT(owners, SizeIs(12));
  EXPECT_EQ(owners[3].host, described[0].host);
  EXPECT_EQ(owners[3].incarnation.size(), 16u);
  EXPECT_TRUE(owners[3].committed_at);
  stop(members);
  add(members, bed);
  settle(members, 12);
  EXPECT_THAT(members[0]->ends(), IsEmpty());
  stop(members);
  bed.expect_all_read_once();
}

TEST_F(KafkaGroups, TheirLastCommitIsALanesAndNotTheFounding) {
  GroupBed bed(one_broker(), "group-shown", 2);
  Members members;
  members.push_back(std::make_unique<GroupMemberHere>(bed));
  members.back()->prepare();
  EXPECT_FALSE(KafkaDelivered(bed.settings).last_commit());
  members.back()->join();
  settle(members, 2);
  stop(members);
  const auto last = KafkaDelivered(bed.settings).last_commit();
  ASSERT_TRUE(last);
  Instant latest{};
  for (const Message& message : bed.outside.read(bed.settings.state_topic)) {
    if (!is_commit_key(message.key)) continue;
    const CommitRecord record = decode_commit(message.value);
    if (record.sequence == 0) continue;
    latest = std::max(latest, parse_rfc3339(record.time)->instant);
    if (record.time == last->record.time) {
      EXPECT_EQ(message.key, commit_key(last->id));
    }
  }
  EXPECT_EQ(parse_rfc3339(last->record.time)->instant, latest);
}

TEST_F(KafkaGroups, OnlyWhatMustMoveMoves) {
  GroupBed bed(one_broker(), "group-moves");
  Members members;
  for (int i = 0; i < 3; ++i) add(members, bed);
  settle(members, 12);
  const auto stays = [&](const auto& before, const auto& after) {
    return std::ranges::count_if(before, [&](const auto& each) { return after.at(each.first) == each.second; });
  };
  const std::map<Partition, std::string> three = bed.incarnations();
  add(members, bed);
  settle(members, 12);
  const std::map<Partition, std::string> four = bed.incarnations();
  EXPECT_EQ(stays(three, four), 9);
  members[3]->leave();
  members.pop_back();
  settle(members, 12);
  EXPECT_EQ(stays(four, bed.incarnations()), 9);
  for (const auto& member : members) EXPECT_THAT(member->ends(), IsEmpty());
  stop(members);
  bed.expect_all_read_once();
}

TEST_F(KafkaGroups, WhatOneThatWasKilledHadIsTakenOver) {
  GroupBed bed(one_broker(), "group-killed");
  Members members;
  for (int i = 0; i < 3; ++i) add(members, bed);
  settle(members, 12);
  members.pop_back();
  settle(members, 12);
  for (const auto& member : members) EXPECT_THAT(member->ends(), IsEmpty());
  stop(members);
  bed.expect_all_read_once();
}

TEST_F(KafkaGroups, ThatAreFoundedByThreeAtOnceAreOne) {
  constexpr int kRounds = 5;
  for (int round = 0; round < kRounds; ++round) {
    GroupBed bed(one_broker(), "group-founded-" + std::to_string(round), 3);
    Members members;
    for (int i = 0; i < 3; ++i) members.push_back(std::make_unique<GroupMemberHere>(bed));
    std::vector<std::future<void>> preparing;
    for (const auto& member : members)
      preparing.push_back(std::async(std::launch::async, [&] {
        for (;;) {
          try {
            return member->prepare();
          } catch (const TryLater& later) {
            EXPECT_THAT(later.what(), HasSubstr("group")) << later.what();
          }
        }
      }));
    for (auto& each : preparing) EXPECT_NO_THROW(each.get());
    for (const auto& member : members) EXPECT_EQ(member->group->partitions(), 3u);
    int records = 0;
    for (const Message& message : bed.outside.read(bed.settings.state_topic))
      records += message.key == group_key(bed.settings.state_topic) && decode_group(message.value).partitions == 3;
    EXPECT_EQ(records, 1);
  }
}

TEST_F(KafkaGroups, AnotherNameTopicOrFormatIsRefused) {
  GroupBed bed(one_broker(), "group-bond", 2);
  GroupMemberHere(bed).prepare();
  GroupBed other(one_broker(), "group-bond-other", 2);
  other.settings.state_topic = bed.settings.state_topic;
  EXPECT_THAT(
      refusal([&] { GroupMemberHere(other).prepare(); }),
      AllOf(HasSubstr("belongs to group group, topic group-bond, format ecs"), HasSubstr("topic group-bond-other")));
  bed.settings.group = "second";
  EXPECT_THAT(refusal([&] { GroupMemberHere(bed).prepare(); }),
              AllOf(HasSubstr("belongs to group group,"), HasSubstr("says group second,")));
}

// It tries the right to write in transactions that it aborts.
TEST_F(KafkaGroups, AreFoundedBehindACheckOfTopicsThatAreThere) {
  GroupBed bed(one_broker(), "group-checked", 2);
  bed.outside.create_topic(bed.settings.state_topic, 2, {{"cleanup.policy", "compact"}});
  for (const SinkFinding& each : check_kafka(bed.settings, kEcsFormat))
    EXPECT_TRUE(each.fault.empty() || each.warning) << each.what << ": " << each.fault;
  EXPECT_NO_THROW(GroupMemberHere(bed).prepare());
}

// Neither has delivered anything so far, so that the topic does not tell.
TEST_F(KafkaGroups, AnotherStateTopicIsRefusedWhileAGroupOfTheNameHasMembers) {
  GroupBed bed(one_broker(), "group-typo", 2);
  GroupMemberHere member(bed);
  member.prepare();
  bed.settings.state_topic = "group-tipo-state";
  GroupMemberHere other(bed);
  member.group->join([](const Membership&) {}, [] { return true; });
  EXPECT_TRUE(eventually([&] {
    const auto members = member.group->members(kHangGuard);
    return members && members->size() == 1 && members->front().partitions.size() == 2;
  }));
  EXPECT_THAT(refusal([&] { other.prepare(); }),
              AllOf(HasSubstr("topic group-typo belongs to group group with state topic group-typo-state"),
                    HasSubstr("says state topic group-tipo-state")));
  const std::vector<SinkFinding> checked = check_kafka(bed.settings, kEcsFormat);
  EXPECT_THAT(checked, Contains(Field(&SinkFinding::fault, HasSubstr("says state topic group-tipo-state"))));
}

// The names are joined by what may be part of them.
TEST_F(KafkaGroups, AConsumerGroupOfAnotherStateTopicIsWaitedFor) {
  GroupBed bed(one_broker(), "group-same", 2), other(one_broker(), "group-same-other", 2);
  other.settings.state_topic = "group";
  other.settings.group = "same-state-group";
  Members members;
  add(members, bed);
  settle(members, 2);
  const auto prepare = [&] { GroupMemberHere(other).prepare(); };
  EXPECT_THAT(prepare, ThrowsMessage<TryLater>(HasSubstr(
                           "consumer group group-same-state-group has members that share topic group-same-state and "
                           "not state topic group:")));
  stop(members);
  EXPECT_NO_THROW(prepare());
}

TEST_F(KafkaGroups, CheckComparesTheRecordWithTheFileAndDisturbsNobody) {
  GroupBed bed(one_broker(), "group-check", 2);
  const auto finding = [&](const std::string& what) {
    for (const SinkFinding& each : check_kafka(bed.settings, kEcsFormat)) {
      if (each.what.starts_with(what)) return each;
    }
    return SinkFinding{what, "", "not found", false};
  };
  EXPECT_EQ(finding("consumer group group-check-state-group").fault, "") << "before anybody has joined it";
  Members members;
  add(members, bed);
  settle(members, 2);
  const auto before = bed.incarnations();
  EXPECT_EQ(finding("group record").said, "group group, topic group-check, format ecs, 2 partitions");
  EXPECT_EQ(finding("group record").fault, "");
  EXPECT_EQ(finding("consumer group").fault, "");
  bed.settings.state_partitions = 3;
  EXPECT_THAT(finding("group record").fault, HasSubstr("state_partitions is 3 here"));
  EXPECT_TRUE(finding("group record").warning);
  bed.settings.state_partitions = 2;
  bed.settings.group = "other";
  EXPECT_THAT(finding("group record").fault,
              AllOf(HasSubstr("belongs to group group,"), HasSubstr("says group other,")));
  EXPECT_FALSE(finding("group record").warning);
  bed.settings.group = "group";
  settle(members, 2);
  EXPECT_EQ(bed.incarnations(), before);
  EXPECT_EQ(members[0]->group->rebalances(), 1u);
  stop(members);
  bed.expect_all_read_once();
}

}  // namespace
}  // namespace sessionlogd::test
