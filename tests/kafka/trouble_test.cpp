// What the daemon does about brokers, topics and other daemons that are not as they should be.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/kafka/bed.h"
#include "tests/kafka/suite.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<std::string> kTroubledFleet = {"--appliances", "6",  "--sessions", "5",
                                                 "--entries",    "20", "--duration", "6"};
const std::vector<std::string> kEndlessFleet = {"--appliances", "6",  "--sessions", "5",
                                                "--entries",    "40", "--duration", "600"};

class KafkaTrouble : public KafkaTest {
 protected:
  // Ends a daemon that has written something.
  static void write_something(Bed& bed) {
    Child daemon = bed.start();
    ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
    daemon.signal(SIGTERM);
    ASSERT_EQ(daemon.wait(), 0) << daemon.err();
  }
};

TEST_F(KafkaTrouble, BrokersThatAreNotThereAtStartAreWaitedFor) {
  Bed bed(one_broker(), "not-there", kTroubledFleet);
  bed.place.edit_config(one_broker().addresses(), "127.0.0.1:1");
  Child daemon = bed.start();
  EXPECT_TRUE(says(daemon, "cannot start now")) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

TEST_F(KafkaTrouble, AFrozenBrokerIsWaitedForAndDoesNotKeepTheDaemonFromEnding) {
  Bed bed(one_broker(), "frozen", kTroubledFleet);
  {
    Child daemon = bed.start();
    ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
    one_broker().signal(0, SIGSTOP);
    EXPECT_TRUE(says(daemon, "cannot take events now")) << daemon.err();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();  // not everything was committed, and nothing is lost
    one_broker().signal(0, SIGCONT);
  }
  Child next = bed.start();
  bed.finish(next);
}

TEST_F(KafkaTrouble, ASecondDaemonTakesOverAndTheFirstNamesIt) {
  Bed bed(one_broker(), "two", kTroubledFleet);
  Child first = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << first.err();
  Child second = bed.start();
  EXPECT_EQ(first.wait(), 79) << first.err();
  EXPECT_THAT(first.err(), AllOf(HasSubstr("another daemon with transactional_id two has taken over: on "),
                                 HasSubstr("cannot go on")));
  bed.finish(second);
}

TEST_F(KafkaTrouble, ATopicThatWasDeletedIsWaitedFor) {
  Bed bed(one_broker(), "deleted", kEndlessFleet);
  Child daemon = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
  bed.outside.delete_topic(bed.topic);
  EXPECT_TRUE(bed.is_told(daemon, "is gone")) << daemon.err();
  EXPECT_TRUE(says(daemon, "cannot take events now: ")) << daemon.err();
  bed.outside.create_topic(bed.topic, 2);
  EXPECT_TRUE(bed.is_well()) << daemon.err();
  EXPECT_TRUE(says(daemon, "takes events again")) << daemon.err();
  EXPECT_TRUE(eventually([&] { return bed.read().size() > 20; }));
}

TEST_F(KafkaTrouble, AnotherNumberOfStatePartitionsIsRefused) {
  Bed bed(one_broker(), "more-partitions", kEndlessFleet);
  write_something(bed);
  bed.outside.add_partitions(bed.state_topic, 13);
  const Outcome outcome = bed.place.run("run");
  EXPECT_EQ(outcome.status, 78);
  EXPECT_THAT(outcome.err, HasSubstr("has 13 partitions and had 12 at the last commit"));
  const Outcome anew = bed.place.run_arguments({"state", "init", "-c", bed.place.config().string()});
  EXPECT_EQ(anew.status, 0) << anew.err;
  Child daemon = bed.start();
  const std::size_t before = bed.read().size();
  EXPECT_TRUE(eventually([&] { return bed.read().size() > before; })) << daemon.err();
}

TEST_F(KafkaTrouble, EventsWithoutStateAreRefused) {
  Bed bed(one_broker(), "no-state", kEndlessFleet);
  write_something(bed);
  const std::size_t before = bed.read().size();
  bed.outside.delete_topic(bed.state_topic);
  const Outcome outcome = bed.place.run("run");
  EXPECT_EQ(outcome.status, 78);
  EXPECT_THAT(outcome.err, HasSubstr("state topic no-state-state is empty"));
  EXPECT_EQ(bed.read().size(), before);
}

TEST_F(KafkaTrouble, ARecordOfSomebodyElseInTheStateIsRefused) {
  Bed bed(one_broker(), "foreign", kEndlessFleet);
  write_something(bed);
  std::vector<Message> foreign(20);
  for (Message& message : foreign) message.key = "somebody else's";
  bed.outside.write(bed.state_topic, foreign);
  const Outcome outcome = bed.place.run("run");
  EXPECT_EQ(outcome.status, 78);
  EXPECT_THAT(outcome.err, HasSubstr("state topic foreign-state holds a record that is none of ours"));
}

TEST_F(KafkaTrouble, AStateTopicThatForgetsIsRefused) {
  Bed bed(one_broker(), "forgetful", kEndlessFleet);
  bed.outside.create_topic(bed.state_topic, 3);
  const Outcome outcome = bed.place.run("run");
  EXPECT_EQ(outcome.status, 78);
  EXPECT_THAT(outcome.err, HasSubstr("cleanup.policy=delete: it would forget"));
}

TEST_F(KafkaTrouble, AWrongPropertyIsAWrongConfiguration) {
  Bed bed(one_broker(), "wrong-property", kEndlessFleet,
          "properties = { \"linger.mss\" = 5, \"compression.codec\" = \"rar\" }");
  const Outcome outcome = bed.place.run("check");
  EXPECT_EQ(outcome.status, 78);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("linger.mss"), HasSubstr("compression.codec")));
}

TEST_F(KafkaTrouble, CheckTriesTopicsAndRightsWithoutDisturbingADaemon) {
  Bed bed(one_broker(), "check", kEndlessFleet);
  Child daemon = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
  const Outcome well = bed.place.run("check", {"--connect"});
  EXPECT_EQ(well.status, 0) << well.out << well.err;
  EXPECT_THAT(well.out, AllOf(HasSubstr("topic check: 6 partitions, 1 replicas, min.insync.replicas 1  warning: one "),
                              HasSubstr("state topic check-state: 12 partitions"),
                              HasSubstr("transaction check-check: aborted, as intended  ok")));
  for (const Message& message : bed.read()) EXPECT_NE(message.value, "{}");
  EXPECT_TRUE(daemon.is_running()) << daemon.err();
  bed.place.edit_config("topic = \"check\"", "topic = \"none\"");
  const Outcome missing = bed.place.run("check", {"--connect"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.out, HasSubstr("topic none: -  does not exist"));
}

// librdkafka 2.0.2 remembers the leaders of a topic it has asked once, and asks one that has gone as long as it lives.
TEST_F(KafkaReplicas, HaveALeaderThatIsLookedForAnewWhenItGoesBeforeTheStateIsRead) {
  Cluster& cluster = three_brokers();
  const std::string topic = "leaderless", state_topic = topic + "-state";
  constexpr int kGone = 2;
  Outside outside(cluster.addresses());
  outside.create_topic(topic, 3);
  Workplace place;
  Child writer = place.start_program({KAFKA_WRITER, cluster.addresses(), topic, "4", "stop-after:commit:1"});
  ASSERT_TRUE(eventually([&] { return writer.has_stopped(); })) << writer.err();
  ASSERT_TRUE(eventually([&] { return outside.has_part_in(state_topic, kGone); }));
  cluster.kill(kGone);
  EXPECT_TRUE(eventually([&] { return !outside.has_part_in(state_topic, kGone); }));
  writer.signal(SIGCONT);
  EXPECT_EQ(writer.wait(), 0) << writer.err();
  cluster.restart(kGone);
  cluster.wait_ready();
}

// A topic that asks for all of them.
TEST_F(KafkaReplicas, ThatAreTooFewAreNamedAndWaitedFor) {
  Cluster& cluster = three_brokers();
  // Events come for as long as it takes until the broker that is gone counts as gone.
  Bed bed(cluster, "replicas", {"--appliances", "6", "--sessions", "5", "--entries", "40", "--duration", "45"});
  bed.outside.configure_topic(bed.topic, {{"min.insync.replicas", "3"}});
  Child daemon = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
  cluster.kill(2);
  EXPECT_TRUE(bed.is_told(daemon, "min.insync.replicas asks for 3")) << daemon.err();
  cluster.restart(2);
  cluster.wait_ready();
  EXPECT_TRUE(bed.is_well()) << daemon.err();
  EXPECT_TRUE(says(daemon, "takes events again")) << daemon.err();
  bed.finish(daemon);
}

}  // namespace
}  // namespace sessionlogd::test
