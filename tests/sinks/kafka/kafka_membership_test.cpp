#include "sinks/kafka/kafka_membership.h"

#include <gmock/gmock.h>

#include "sinks/kafka/kafka_pause.h"

namespace sessionlogd {

// As gtest shows it.
void PrintTo(const Membership& membership, std::ostream* out) {
  *out << (membership.is_member ? "member" : "no member") << " owned " << testing::PrintToString(membership.owned)
       << " revoked " << testing::PrintToString(membership.revoked) << " lost "
       << testing::PrintToString(membership.lost);
}

namespace {

using Set = std::set<Partition>;

Membership told(bool is_member, Set owned, Set revoked = {}, Set lost = {}) {
  return {is_member, std::move(owned), std::move(revoked), std::move(lost)};
}

TEST(KafkaMembership, ASpareIsAMember) {
  KafkaMembership members(6);
  EXPECT_EQ(members.membership(), told(false, {}));
  members.assigned({});
  EXPECT_EQ(members.membership(), told(true, {}));
}

TEST(KafkaMembership, WhatIsRevokedTogetherGoesBackOnceAllOfItIsReleased) {
  KafkaMembership members(6);
  members.assigned({0, 1, 2});
  members.revoked({1, 2});
  EXPECT_EQ(members.membership(), told(true, {0}, {1, 2}));
  EXPECT_FALSE(members.is_ours(1));
  EXPECT_TRUE(members.is_ours(0));
  members.released(1);
  EXPECT_FALSE(members.take_handing());
  EXPECT_EQ(members.membership(), told(true, {0}, {2}));
  members.released(2);
  EXPECT_TRUE(members.take_handing());
  EXPECT_FALSE(members.take_handing());
  EXPECT_EQ(members.membership(), told(true, {0}));
}

TEST(KafkaMembership, PartitionsBeyondTheGroupsNumberAreNobodys) {
  KafkaMembership members(6);
  members.assigned({5, 6, 7});
  EXPECT_EQ(members.membership(), told(true, {5}));
  EXPECT_EQ(members.beyond(), 2u);
  members.revoked({6, 7});
  EXPECT_TRUE(members.take_handing());
  EXPECT_EQ(members.membership(), told(true, {5}));
}

TEST(KafkaMembership, WhatIsLostIsStillBelieved) {
  KafkaMembership members(6);
  members.assigned({0, 1});
  members.lost();
  EXPECT_EQ(members.membership(), told(false, {0, 1}));
  EXPECT_FALSE(members.is_ours(0));
  EXPECT_FALSE(members.take_handing());
}

TEST(KafkaMembership, WhenTheGroupIsBackWhatIsOursGoesOnAndTheRestIsReleased) {
  KafkaMembership members(6);
  members.assigned({0, 1, 2});
  members.lost();
  members.assigned({1, 3});
  EXPECT_EQ(members.membership(), told(true, {1, 3}, {0, 2}, {0, 2}));
  EXPECT_FALSE(members.take_handing());  // the group has it already
  members.released(0);
  members.released(2);
  EXPECT_EQ(members.membership(), told(true, {1, 3}));
  EXPECT_FALSE(members.take_handing());
}

// The group may have given everything to others, and nobody has heard of it.
TEST(KafkaMembership, WhoHangsIsNoMemberUntilItListensAgain) {
  KafkaMembership members(6);
  members.assigned({0, 1});
  members.hangs(true);
  EXPECT_EQ(members.membership(), told(false, {0, 1}));
  EXPECT_FALSE(members.is_ours(0)) << "who takes it over must not be shut out";
  members.hangs(false);
  EXPECT_EQ(members.membership(), told(true, {0, 1}));
  EXPECT_TRUE(members.is_ours(0));
  members.hangs(true);
  members.lost();
  members.hangs(false);
  EXPECT_EQ(members.membership(), told(false, {0, 1}));
}

TEST(KafkaMembership, ARebalanceIsOneHoweverManyStepsItTakes) {
  KafkaMembership members(6);
  members.assigned({0, 1, 2});
  EXPECT_EQ(members.rebalances(), 1u);
  members.revoked({1, 2});  // another one joins
  members.released(1);
  members.released(2);
  members.assigned({});
  EXPECT_EQ(members.rebalances(), 2u);
  members.lost();
  EXPECT_EQ(members.rebalances(), 2u);
  members.assigned({0});
  EXPECT_EQ(members.rebalances(), 3u);
}

TEST(KafkaMembership, LostTwiceForgetsNothing) {
  KafkaMembership members(6);
  members.assigned({0, 1});
  members.lost();
  members.lost();
  members.assigned({});
  EXPECT_EQ(members.membership(), told(true, {}, {0, 1}, {0, 1}));
}

TEST(KafkaMembership, WhatComesBackBeforeItsReleaseBeginsAnewBehindIt) {
  KafkaMembership members(6);
  members.assigned({0, 1});
  members.lost();
  members.assigned({1});
  members.assigned({0});
  EXPECT_EQ(members.membership(), told(true, {1}, {0}, {0}));
  EXPECT_FALSE(members.is_ours(0));
  members.released(0);
  EXPECT_EQ(members.membership(), told(true, {0, 1}));
}

TEST(KafkaMembership, RevokedAgainBeforeItsReleaseItIsWaitedFor) {
  KafkaMembership members(6);
  members.assigned({0, 1});
  members.lost();
  members.assigned({1});
  members.assigned({0});
  members.revoked({0});
  EXPECT_FALSE(members.take_handing());
  members.released(0);
  EXPECT_TRUE(members.take_handing());
}

TEST(KafkaMembership, LeavingRevokesEverything) {
  KafkaMembership members(6);
  members.assigned({0, 1});
  members.leave();
  EXPECT_EQ(members.membership(), told(false, {}, {0, 1}));
  members.released(0);
  members.revoked({0, 1});  // librdkafka asks a moment later
  EXPECT_FALSE(members.take_handing());
  members.released(1);
  EXPECT_FALSE(members.owns_nothing());
  EXPECT_TRUE(members.take_handing());
  EXPECT_TRUE(members.owns_nothing());
}

TEST(KafkaMembership, LeavingWhileLostRevokesWhatWasBelieved) {
  KafkaMembership members(6);
  members.assigned({0, 1});
  members.lost();
  members.leave();
  EXPECT_EQ(members.membership(), told(false, {}, {0, 1}));
  members.released(0);
  members.released(1);
  EXPECT_TRUE(members.owns_nothing());
}

TEST(KafkaMembership, WhatIsAssignedWhileLeavingGoesBackAtOnce) {
  KafkaMembership members(6);
  members.leave();
  members.assigned({0, 1});
  EXPECT_EQ(members.membership(), told(false, {}));
  members.revoked({0, 1});
  EXPECT_TRUE(members.take_handing());
  members.stay();
  members.assigned({2});
  EXPECT_EQ(members.membership(), told(true, {2}));
}

TEST(KafkaPause, GrowsWithEachTimeAndIsForgotten) {
  using namespace std::chrono_literals;
  KafkaPause pause;
  KafkaPause::Clock::time_point now{};
  for (const auto expected : {2'500ms, 5'000ms, 10'000ms, 20'000ms, 40'000ms, 60'000ms, 60'000ms}) {
    EXPECT_EQ(pause.next(now), expected);
    now += 9min;
  }
  now += 2min;
  EXPECT_EQ(pause.next(now), 2'500ms);
}

}  // namespace
}  // namespace sessionlogd
