// Lanes of single partitions, side by side in this process, on one state topic.
#include <gmock/gmock.h>

#include <algorithm>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>

#include "sinks/kafka/kafka_rows.h"
#include "tests/kafka/lane_bed.h"
#include "tests/kafka/suite.h"
#include "tests/kafka/trouble.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

using Row = std::pair<const std::pair<std::string, std::uint64_t>, std::string>;

class KafkaLanes : public KafkaTest {
 protected:
  static std::set<std::string> keys_of(const std::vector<Message>& records) {
    std::set<std::string> keys;
    for (const Message& record : records) keys.insert(record.key);
    return keys;
  }

  static bool was_shut_out(const LaneLife& life) {
    return std::ranges::any_of(life.told, [](const std::string& detail) {
      return detail.find("FENCED") != detail.npos || detail.find("EPOCH") != detail.npos;
    });
  }

  static std::string row_key(const std::string& source) { return source + "/0000000000000001/-1"; }
};

TEST_F(KafkaLanes, EachCommitsToItsPartitionAndRecoversItsOwnRows) {
  LaneBed bed(one_broker(), "lanes", 3);
  const std::string source[] = {bed.source_in(0), bed.source_in(1)};
  {
    const auto first = bed.begin(0), second = bed.begin(1);
    for (int round = 0; round < 5; ++round) {
      const std::vector<Batch> ours{bed.next(source[0], 20)}, theirs{bed.next(source[1], 30)};
      std::future<Result<void>> beside = std::async(std::launch::async, [&] { return second->commit(theirs); });
      EXPECT_TRUE(first->commit(ours));
      EXPECT_TRUE(beside.get());
    }
  }
  bed.expect_all_read_once();
  EXPECT_THAT(keys_of(bed.state_of(0)), ElementsAre("commit/lanes-state-0", row_key(source[0])));
  EXPECT_THAT(keys_of(bed.state_of(1)), ElementsAre("commit/lanes-state-1", row_key(source[1])));
  EXPECT_THAT(keys_of(bed.state_of(2)), ElementsAre("commit/lanes-state-2"));
  EXPECT_EQ(bed.last_commit_of(0).sequence, 6u);  // the announcement, and five commits
  EXPECT_EQ(bed.last_commit_of(1).sequence, 6u);
  EXPECT_EQ(bed.last_commit_of(2).sequence, 0u);

  const auto first = bed.begin(0), second = bed.begin(1);
  EXPECT_THAT(first->seen.rows, ElementsAre(Row({source[0], 1}, "100")));
  EXPECT_THAT(second->seen.rows, ElementsAre(Row({source[1], 1}, "150")));
}

TEST_F(KafkaLanes, ASourceOfAnotherPartitionIsNoneOfItsBusiness) {
  LaneBed bed(one_broker(), "lanes-stray", 3);
  const auto life = bed.begin(0);
  const std::vector<Batch> mixed{bed.next(bed.source_in(0), 1), bed.next(bed.source_in(2), 1)};
  EXPECT_THROW((void)life->commit(mixed), std::logic_error);
  EXPECT_TRUE(bed.outside.read(bed.topic).empty());
  EXPECT_THAT(keys_of(bed.state_of(2)), ElementsAre("commit/lanes-stray-state-2"));
}

TEST_F(KafkaLanes, OneThatWasShutOutIsToldByWhomAndNobodyElseNotices) {
  LaneBed bed(one_broker(), "lanes-fenced", 2);
  const auto before = bed.begin(0), neighbour = bed.begin(1), after = bed.begin(0);
  const Batch batch = bed.next(bed.source_in(0), 3);
  const Result<void> refused = before->commit({batch});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kFenced);
  EXPECT_THAT(refused.error().detail,
              AllOf(HasSubstr("partition 0 of state topic lanes-fenced-state has been taken over: on "),
                    HasSubstr("instance " + bed.last_commit_of(0).instance)));
  EXPECT_TRUE(after->commit({batch}));
  EXPECT_TRUE(neighbour->commit({bed.next(bed.source_in(1), 3)}));
  EXPECT_FALSE(was_shut_out(*after));
  EXPECT_FALSE(was_shut_out(*neighbour));
  bed.expect_all_read_once();
}

TEST_F(KafkaLanes, DoubtIsResolvedForEachPartition) {
  LaneBed bed(one_broker(), "lanes-doubt", 2);
  const auto doubtful = bed.begin(0), neighbour = bed.begin(1);
  std::uint64_t commits = 1;
  for (const char* trouble : {"fail-after:commit:1", "fail-before:commit:1", "fail-before:produce:2"}) {
    SCOPED_TRACE(trouble);
    const std::vector<Batch> batches{bed.next(bed.source_in(0), 5)};
    plan_trouble(trouble);
    const Result<void> failed = doubtful->lane.commit(batches);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::kTryLater);
    EXPECT_TRUE(neighbour->commit({bed.next(bed.source_in(1), 5)}));
    EXPECT_TRUE(doubtful->commit(batches));
    EXPECT_EQ(bed.last_commit_of(0).sequence, ++commits);
    EXPECT_EQ(bed.last_commit_of(1).sequence, commits);
  }
  EXPECT_EQ(doubtful->lane.commits_in_doubt(), 3u);
  EXPECT_EQ(neighbour->lane.commits_in_doubt(), 0u);
  bed.expect_all_read_once();
}

TEST_F(KafkaLanes, InDoubtItDoesNotShutOutWhoHasTakenItsPlace) {
  LaneBed bed(one_broker(), "lanes-left", 2);
  const auto doubtful = bed.begin(0);
  const Batch batch = bed.next(bed.source_in(0), 5);
  plan_trouble("fail-before:commit:1");
  EXPECT_FALSE(doubtful->lane.commit(std::vector{batch}));
  const auto next = bed.begin(0);
  const Result<void> left = doubtful->commit({batch});
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error().kind, ErrorKind::kFenced);
  EXPECT_TRUE(next->commit({batch}));
  EXPECT_FALSE(was_shut_out(*next));
  EXPECT_EQ(next->lane.commits_in_doubt(), 0u);
  bed.expect_all_read_once();
}

TEST_F(KafkaLanes, ADamagedRecordInDoubtIsRefused) {
  LaneBed bed(one_broker(), "lanes-damaged", 1);
  const auto life = bed.begin(0);
  const std::vector<Batch> batches{bed.next(bed.source_in(0), 5)};
  plan_trouble("fail-after:commit:1");
  EXPECT_FALSE(life->lane.commit(batches));
  Message damaged;
  damaged.key = commit_key(transactional_id_of({0, 1}, bed.state_topic));
  damaged.value = "?";
  bed.outside.write(bed.state_topic, {damaged});
  const Result<void> refused = life->commit(batches);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(refused.error().detail, HasSubstr("none of ours, or damaged"));
}

// Up to the last stable offset alone it would miss what is committed a moment later.
TEST_F(KafkaLanes, ReadsToTheEndWaitsForWhatIsOpenThereAndEndsWhenItIsToldTo) {
  LaneBed bed(one_broker(), "lanes-open", 2);
  OpenTransaction open(bed, 1, row_key(bed.source_in(1)), "7", "somebody");
  LaneLife waiting(bed.settings, {1, 2}, *bed.views), stopped(bed.settings, {1, 2}, *bed.views);
  std::future<Result<void>> recovery = std::async(std::launch::async, [&] { return stopped.recover(); });
  const auto neighbour = bed.begin(0);
  EXPECT_TRUE(neighbour->commit({bed.next(bed.source_in(0), 5)}));
  EXPECT_NE(recovery.wait_for(std::chrono::seconds{0}), std::future_status::ready);
  stopped.stop.request_stop();
  EXPECT_FALSE(recovery.get());

  recovery = std::async(std::launch::async, [&] { return waiting.recover(); });
  EXPECT_TRUE(neighbour->commit({bed.next(bed.source_in(0), 5)}));
  EXPECT_NE(recovery.wait_for(std::chrono::seconds{0}), std::future_status::ready);
  open.commit();
  EXPECT_TRUE(recovery.get());
  EXPECT_THAT(waiting.seen.rows, ElementsAre(Row({bed.source_in(1), 1}, "7")));
}

TEST_F(KafkaLanes, APartitionThatIsNotAsItWasLeftIsRefusedAlone) {
  LaneBed bed(one_broker(), "lanes-refused", 4);
  const auto refusal = [&](std::int32_t partition, std::int32_t of) {
    LaneLife life(bed.settings, {partition, of}, *bed.views);
    const Result<void> recovered = life.recover();
    if (recovered || recovered.error().kind != ErrorKind::kRefused) return std::string("not refused");
    return recovered.error().detail;
  };
  Message damaged;
  damaged.partition = 1;
  damaged.key = row_key("damaged");
  damaged.value = "?";
  bed.outside.write(bed.state_topic, {damaged});
  bed.outside.add_partitions(bed.state_topic, 5);
  EXPECT_THAT(refusal(1, 4), HasSubstr("a damaged row"));
  EXPECT_THAT(refusal(2, 5), HasSubstr("partition 2 of state topic lanes-refused-state is one of 5 and was one of 4"));
  EXPECT_THAT(refusal(4, 5), HasSubstr("partition 4 of state topic lanes-refused-state has no commit record"));
  EXPECT_TRUE(bed.begin(0)->commit({bed.next(bed.source_in(0), 5)}));
}

TEST_F(KafkaLanes, PartitionsThatAreAddedChangeNothing) {
  LaneBed bed(one_broker(), "lanes-more", 2);
  const std::string source = bed.source_in(1);
  const auto life = bed.begin(1);
  bed.outside.add_partitions(bed.state_topic, 5);
  const std::vector<Batch> batches{bed.next(source, 5)};
  plan_trouble("fail-after:commit:1");
  EXPECT_FALSE(life->lane.commit(batches));
  EXPECT_TRUE(life->commit(batches));
  EXPECT_TRUE(life->commit({bed.next(source, 5)}));
  EXPECT_THAT(bed.begin(1)->seen.rows, ElementsAre(Row({source, 1}, "10")));
  EXPECT_EQ(bed.last_commit_of(1).partitions, 2);
  bed.expect_all_read_once();
}

std::shared_ptr<KafkaView> view_of(KafkaViews& views) {
  Patience patience({}, kHangGuard, std::chrono::milliseconds{0});
  const Result<std::shared_ptr<KafkaView>> view = views.open(patience);
  EXPECT_TRUE(view.has_value());
  return view ? *view : nullptr;
}

TEST_F(KafkaLanes, ShareOneViewForAsLongAsTheyNeedIt) {
  LaneBed bed(one_broker(), "lanes-view", 3);
  std::shared_ptr<KafkaView> view = view_of(*bed.views);
  LaneLife first(bed.settings, {0, 3}, *bed.views), second(bed.settings, {1, 3}, *bed.views);
  OpenTransaction open_a(bed, 0, row_key(bed.source_in(0)), "7", "a");
  OpenTransaction open_b(bed, 1, row_key(bed.source_in(1)), "8", "b");
  std::future<Result<void>> one = std::async(std::launch::async, [&] { return first.recover(); });
  EXPECT_TRUE(eventually([&] { return view.use_count() == 2; }));
  std::future<Result<void>> other = std::async(std::launch::async, [&] { return second.recover(); });
  EXPECT_TRUE(eventually([&] { return view.use_count() == 3; }));
  open_a.commit();
  open_b.commit();
  EXPECT_TRUE(one.get());
  EXPECT_TRUE(other.get());
  EXPECT_EQ(view.use_count(), 1);
  EXPECT_THAT(first.seen.rows, ElementsAre(Row({bed.source_in(0), 1}, "7")));
  EXPECT_THAT(second.seen.rows, ElementsAre(Row({bed.source_in(1), 1}, "8")));
  const std::weak_ptr<KafkaView> last = view;
  view.reset();
  EXPECT_TRUE(last.expired());
}

TEST_F(KafkaLanes, AViewIsOpenedByOneAndAnotherOnceItFailed) {
  LaneBed bed(one_broker(), "lanes-looks", 1);
  std::vector<std::future<std::shared_ptr<KafkaView>>> looks;
  for (int i = 0; i < 4; ++i) looks.push_back(std::async(std::launch::async, [&] { return view_of(*bed.views); }));
  std::vector<std::shared_ptr<KafkaView>> views;
  for (auto& look : looks) views.push_back(look.get());
  EXPECT_THAT(views, Each(views.front()));
  bed.views->discard(views.front());
  const std::shared_ptr<KafkaView> next = view_of(*bed.views);
  EXPECT_NE(next, views.front());
  bed.views->discard(views.front());  // by another one that it failed: the next stays
  EXPECT_EQ(view_of(*bed.views), next);
}

TEST_F(KafkaLanes, AViewThatFailedALaneIsNotHandedOutAgain) {
  LaneBed bed(one_broker(), "lanes-failed", 1);
  const std::shared_ptr<KafkaView> view = view_of(*bed.views);
  LaneLife life(bed.settings, {0, 1}, *bed.views);
  plan_trouble("fail-before:init:1");
  EXPECT_FALSE(life.lane.recover(life.seen));
  const std::shared_ptr<KafkaView> next = view_of(*bed.views);
  EXPECT_NE(next, view);
  EXPECT_TRUE(life.recover());
  plan_trouble("fail-after:commit:1");
  EXPECT_FALSE(life.lane.commit(std::vector{bed.next(bed.source_in(0), 1)}));
  plan_trouble("fail-before:init:1");
  EXPECT_FALSE(life.lane.commit({}));
  EXPECT_NE(view_of(*bed.views), next);
}

TEST_F(KafkaLanes, WaitForTheirTurnToReadTheirState) {
  LaneBed bed(one_broker(), "lanes-turns", 1);
  Patience patience({}, kHangGuard, std::chrono::milliseconds{0});
  std::vector<KafkaTurns::Turn> turns;
  for (std::size_t i = 0; i < KafkaViews::kReadAtOnce; ++i) turns.push_back(bed.views->turns().wait(patience));
  LaneLife stopped(bed.settings, {0, 1}, *bed.views);
  std::future<Result<void>> recovery = std::async(std::launch::async, [&] { return stopped.recover(); });
  EXPECT_TRUE(eventually([&] { return bed.last_commit_of(0).sequence == 1; }));  // it has taken the place
  EXPECT_EQ(stopped.lane.records_read(), 0u);
  stopped.stop.request_stop();
  EXPECT_FALSE(recovery.get());

  LaneLife waiting(bed.settings, {0, 1}, *bed.views);
  recovery = std::async(std::launch::async, [&] { return waiting.recover(); });
  EXPECT_TRUE(eventually([&] { return bed.last_commit_of(0).sequence == 2; }));
  EXPECT_EQ(waiting.lane.records_read(), 0u);
  turns.pop_back();
  EXPECT_TRUE(recovery.get());
  EXPECT_GT(waiting.lane.records_read(), 0u);
}

TEST_F(KafkaLanes, ATopicThatIsNotThereIsLookedForAgain) {
  LaneBed bed(one_broker(), "lanes-late", 1);
  bed.settings.topic = "lanes-later";
  KafkaViews views(bed.settings);
  Patience patience({}, kHangGuard, std::chrono::milliseconds{0});
  const Result<std::shared_ptr<KafkaView>> none = views.open(patience);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().detail, HasSubstr("topic lanes-later does not exist"));
  bed.outside.create_topic("lanes-later", 4);
  EXPECT_EQ(view_of(views)->place.event_partitions, 4);
}

}  // namespace
}  // namespace sessionlogd::test
