// Two lives of one partition at once, whose steps are put in an order by hand: the first stands still at a call of
// librdkafka, the second takes over, the first goes on.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <future>

#include "tests/kafka/lane_bed.h"
#include "tests/kafka/suite.h"
#include "tests/kafka/trouble.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;

class KafkaGroupTakeover : public KafkaTest {
 protected:
  static bool was_shut_out(const LaneLife& life) {
    return std::ranges::any_of(life.told, [](const std::string& detail) {
      return detail.find("FENCED") != detail.npos || detail.find("EPOCH") != detail.npos;
    });
  }

  // What a life that recovered so far has to write next, up to `end` entries.
  static std::vector<Batch> rest(LaneBed& bed, LaneLife& life, std::uint64_t end) {
    const std::string source = bed.source_in(0);
    const auto row = life.seen.rows.find({source, 1});
    const std::uint64_t known = row == life.seen.rows.end() ? 0 : std::stoull(row->second);
    return known < end ? std::vector{bed.entries(source, known, end)} : std::vector<Batch>{};
  }
};

TEST_F(KafkaGroupTakeover, WhoeverStandsStillInACommitAndGoesOnLaterWritesNothingTwice) {
  int number = 0;
  for (const char* call : {"begin", "produce", "flush", "commit"}) {
    for (const char* when : {"before", "after"}) {
      SCOPED_TRACE(std::string(when) + " " + call);
      LaneBed bed(one_broker(), "takeover-" + std::to_string(number++), 1);
      const std::vector<Batch> first{bed.next(bed.source_in(0), 5)};
      const auto before = bed.begin(0);
      plan_trouble(std::string("hold-") + when + ":" + call + ":1");
      std::future<Result<void>> slow = std::async(std::launch::async, [&] { return before->commit(first); });
      ASSERT_TRUE(eventually(is_held));
      const auto after = bed.begin(0);
      EXPECT_TRUE(after->commit(rest(bed, *after, 5)));
      let_go();
      const Result<void> done = slow.get();
      const bool was_committed = std::string(call) == "commit" && std::string(when) == "after";
      EXPECT_EQ(done.has_value(), was_committed);
      EXPECT_TRUE(done || done.error().kind == ErrorKind::kFenced);
      EXPECT_TRUE(after->commit({bed.next(bed.source_in(0), 5)}));
      bed.expect_all_read_once();
    }
  }
}

// Nobody asks a group here, so it takes the place from who has it by then: it knows all that was committed, and the
// other one ends.
TEST_F(KafkaGroupTakeover, WhoeverStandsStillInItsTakeoverAndGoesOnLaterWritesNothingTwice) {
  int number = 0;
  for (const char* when : {"before", "after"}) {
    SCOPED_TRACE(when);
    LaneBed bed(one_broker(), "takeover-init-" + std::to_string(number++), 1);
    bed.next(bed.source_in(0), 10);
    LaneLife slow(bed.settings, {0, 1}, *bed.views);
    plan_trouble(std::string("hold-") + when + ":init:1");
    std::future<Result<void>> recovering = std::async(std::launch::async, [&] { return slow.recover(); });
    ASSERT_TRUE(eventually(is_held));
    const auto quick = bed.begin(0);
    EXPECT_TRUE(quick->commit(rest(bed, *quick, 5)));
    let_go();
    ASSERT_TRUE(recovering.get());
    EXPECT_EQ(was_shut_out(slow), std::string(when) == "after");
    const Result<void> refused = quick->commit({bed.entries(bed.source_in(0), 5, 10)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kFenced);
    EXPECT_TRUE(slow.commit(rest(bed, slow, 10)));
    bed.expect_all_read_once();
  }
}

// What the group has given to another one is not taken from it.
TEST_F(KafkaGroupTakeover, WhoeverWasShutOutWaitsForTheGroupBeforeItShutsOutAnother) {
  LaneBed bed(one_broker(), "takeover-gate", 1);
  std::atomic<bool> is_ours = true, was_asked = false;
  LaneLife slow(bed.settings, {0, 1}, *bed.views, [&] {
    was_asked = !is_ours;
    return is_ours.load();
  });
  plan_trouble("hold-after:init:1");
  std::future<Result<void>> recovering = std::async(std::launch::async, [&] { return slow.recover(); });
  ASSERT_TRUE(eventually(is_held));
  const auto quick = bed.begin(0);
  is_ours = false;
  let_go();
  EXPECT_TRUE(eventually([&] { return was_asked.load(); }));
  EXPECT_TRUE(quick->commit({bed.next(bed.source_in(0), 5)}));
  slow.stop.request_stop();
  EXPECT_FALSE(recovering.get());
  EXPECT_TRUE(quick->commit({bed.next(bed.source_in(0), 5)}));
  EXPECT_FALSE(was_shut_out(*quick));
  bed.expect_all_read_once();
}

TEST_F(KafkaGroupTakeover, IsGivenUpInsideInitWhileTheBrokerStandsStill) {
  Cluster cluster{ClusterSettings{}};
  LaneBed bed(cluster, "takeover-frozen", 1);
  LaneLife slow(bed.settings, {0, 1}, *bed.views);
  plan_trouble("hold-before:init:1");
  std::future<Result<void>> recovering = std::async(std::launch::async, [&] { return slow.recover(); });
  ASSERT_TRUE(eventually(is_held));
  cluster.signal(0, SIGSTOP);
  let_go();
  slow.stop.request_stop();
  EXPECT_FALSE(recovering.get());
  cluster.signal(0, SIGCONT);
  EXPECT_TRUE(bed.begin(0)->commit({bed.next(bed.source_in(0), 5)}));
  bed.expect_all_read_once();
}

TEST_F(KafkaGroupTakeover, ATransactionThatTheBrokerGaveUpIsOfferedAgainByTheSameLane) {
  LaneBed bed(one_broker(), "takeover-timeout", 1);
  bed.settings.properties = {{"transaction.timeout.ms", "1000", std::nullopt}};
  const auto life = bed.begin(0);
  const std::string incarnation = bed.last_commit_of(0).instance;
  const std::vector<Batch> batches{bed.next(bed.source_in(0), 5)};
  plan_trouble("hold-before:commit:1");
  std::future<Result<void>> slow = std::async(std::launch::async, [&] { return life->commit(batches); });
  ASSERT_TRUE(eventually(is_held));
  // The broker looks for such once a second. What it holds no longer keeps readers waiting.
  EXPECT_TRUE(eventually([&] {
    return bed.outside.read(bed.topic, "read_uncommitted").size() == 5 && bed.outside.read(bed.topic).empty();
  }));
  EXPECT_FALSE(life->lane.is_shut_out());
  let_go();
  EXPECT_TRUE(eventually([&] { return life->lane.is_shut_out(); }));
  EXPECT_TRUE(slow.get());
  EXPECT_FALSE(life->lane.is_shut_out());
  EXPECT_EQ(bed.last_commit_of(0).instance, incarnation);
  EXPECT_EQ(life->lane.commits_in_doubt(), 1u);
  bed.expect_all_read_once();
}

TEST_F(KafkaGroupTakeover, APartitionWhoseRecordsWereDeletedIsRefused) {
  LaneBed bed(one_broker(), "takeover-deleted", 2);
  const auto refused = [&](const Result<void>& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kRefused);
    EXPECT_THAT(result.error().detail, HasSubstr("was emptied or cut"));
  };
  // Brokers do it only where the topic may forget.
  const auto empty = [&](std::int32_t partition) {
    bed.outside.configure_topic(bed.state_topic, {{"cleanup.policy", "compact,delete"}});
    bed.outside.empty(bed.state_topic, partition);
    bed.outside.configure_topic(bed.state_topic, {{"cleanup.policy", "compact"}});
  };
  const std::string source = bed.source_in(0);
  const auto life = bed.begin(0);
  EXPECT_TRUE(life->commit({bed.next(source, 5)}));
  empty(0);
  EXPECT_TRUE(life->commit({bed.next(source, 5)}));  // it knows its state itself
  LaneLife next(bed.settings, {0, 2}, *bed.views);
  refused(next.recover());

  const auto doubtful = bed.begin(1);
  const std::vector<Batch> batches{bed.next(bed.source_in(1), 5)};
  EXPECT_TRUE(doubtful->commit(batches));
  empty(1);
  plan_trouble("fail-after:commit:1");
  refused(doubtful->commit({bed.next(bed.source_in(1), 5)}));
}

}  // namespace
}  // namespace sessionlogd::test
