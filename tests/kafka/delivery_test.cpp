// What a reader finds in the topics.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "tests/kafka/bed.h"
#include "tests/kafka/suite.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kSmall = {"--appliances", "6", "--sessions", "5", "--entries", "20", "--duration", "3"};

class KafkaDelivery : public KafkaTest {};

std::string text_of(const std::string& value, const std::string& field) {
  const std::size_t at = value.find("\"" + field + "\":\"");
  return at == value.npos
             ? ""
             : value.substr(at + field.size() + 4, value.find('"', at + field.size() + 4) - at - field.size() - 4);
}

// The entry that a session has with the fault long-entry.
bool is_long(const Message& message) { return text_of(message.value, "message").starts_with("A long report: "); }

TEST_F(KafkaDelivery, EveryEventIsReadOnceWithItsKeyAndHeaders) {
  Bed bed(one_broker(), "delivery", kSmall);
  Child daemon = bed.start();
  bed.finish(daemon, {"--exact"});
  const std::vector<Message> messages = bed.read();
  ASSERT_GT(messages.size(), 100u);
  std::map<std::string, std::set<int>> partitions;
  for (const Message& message : messages) {
    EXPECT_EQ(message.key, text_of(message.value, "source") + "/" + text_of(message.value, "session_id"));
    EXPECT_EQ(message.headers.at("event.id"), text_of(message.value, "id"));
    EXPECT_EQ(message.headers.at("event.hash"), text_of(message.value, "hash"));
    EXPECT_EQ(message.headers.at("event.format"), "ecs");
    EXPECT_EQ(message.headers.at("content-type"), "application/json");
    const bool has_log_time = !text_of(message.value, "log_time").empty();
    const auto time = message.headers.find("event.time");
    EXPECT_EQ(time == message.headers.end() ? "" : time->second,
              has_log_time ? text_of(message.value, "@timestamp") : "")
        << message.value;
    EXPECT_THAT(message.value, testing::AllOf(testing::StartsWith("{"), testing::EndsWith("}")));
    partitions[message.key].insert(message.partition);
  }
  for (const auto& [key, where] : partitions) EXPECT_EQ(where.size(), 1u) << key;
}

TEST_F(KafkaDelivery, ShowsTheStateInTheTopicWhileTheDaemonRuns) {
  Bed bed(one_broker(), "shown", kSmall);
  const auto show = [&](std::vector<std::string> what) {
    what.insert(what.begin(), {"state", "show", "-c", bed.place.config().string()});
    return bed.place.run_arguments(what);
  };
  const Outcome nothing = show({});
  EXPECT_EQ(nothing.status, 1) << nothing.out;
  EXPECT_THAT(nothing.err, HasSubstr("there is no state of shown in topic shown-state"));

  Child daemon = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
  const std::string key = bed.read().front().key;
  const std::string source = key.substr(0, key.find('/')), session = key.substr(key.find('/') + 1);
  const Outcome all = show({});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_THAT(all.out, HasSubstr("state   topic shown-state\noutput  topic shown: commit "));
  EXPECT_THAT(all.out, HasSubstr("\n" + source + " "));
  const Outcome one = show({source, session});
  EXPECT_EQ(one.status, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("session          " + session + "\n"));
  bed.finish(daemon, {"--exact"});  // it was not disturbed
}

TEST_F(KafkaDelivery, CreatesTheStateTopicCompactedAndKeepsASourceInOnePartition) {
  Bed bed(one_broker(), "state", kSmall);
  Child daemon = bed.start();
  bed.finish(daemon, {"--exact"});
  const Outside::Configuration configuration = bed.outside.configuration_of(bed.state_topic);
  EXPECT_EQ(configuration.at("cleanup.policy"), "compact");
  EXPECT_EQ(configuration.at("segment.bytes"), "67108864");
  EXPECT_EQ(configuration.at("min.cleanable.dirty.ratio"), "0.1");
  EXPECT_EQ(configuration.at("max.compaction.lag.ms"), "3600000");
  std::map<std::string, std::set<int>> partitions;
  for (const Message& message : bed.outside.read(bed.state_topic))
    partitions[message.key.substr(0, message.key.find('/'))].insert(message.partition);
  EXPECT_EQ(partitions.size(), 7u);  // six sources, and the commits
  for (const auto& [source, where] : partitions) EXPECT_EQ(where.size(), 1u) << source;
}

TEST_F(KafkaDelivery, NeedsNoStateOnThisHost) {
  Bed bed(one_broker(), "lost-disk", kSmall);
  for (int life = 0; life < 3; ++life) {
    Child daemon = bed.start();
    ASSERT_TRUE(eventually([&] { return bed.read().size() > 50u * static_cast<unsigned>(life); })) << daemon.err();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();
    std::filesystem::remove_all(bed.place / "state");
  }
  Child last = bed.start();
  bed.finish(last);
}

TEST_F(KafkaDelivery, SurvivesTheCompactionOfItsState) {
  Bed bed(one_broker(), "compacted", kSmall);
  bed.outside.create_topic(bed.state_topic, 3,
                           {{"cleanup.policy", "compact"},
                            {"segment.ms", "200"},
                            {"min.cleanable.dirty.ratio", "0.01"},
                            {"delete.retention.ms", "100"},
                            {"max.compaction.lag.ms", "200"}});
  {
    Child daemon = bed.start();
    ASSERT_TRUE(eventually([&] { return bed.fleet.is_caught_up(); })) << daemon.err();
    EXPECT_TRUE(eventually([&] {
      const auto records = static_cast<std::int64_t>(bed.outside.read(bed.state_topic).size());
      return records * 2 < bed.outside.span_of(bed.state_topic).second && bed.agrees({"--exact"});
    }));
    daemon.signal(SIGKILL);
    daemon.wait();
  }
  Child next = bed.start();
  ASSERT_TRUE(eventually([&] { return next.err().find("started:") != std::string::npos; })) << next.err();
  bed.finish(next, {"--exact"});
}

TEST_F(KafkaDelivery, AnEventAboveTheLimitIsCutAndBlocksNothing) {
  constexpr std::size_t kLimit = 2'000, kSessions = 30;
  std::vector<std::string> options = kSmall;  // six appliances with five sessions each
  options.insert(options.end(), {"--fault", "long-entry=1"});
  Bed bed(one_broker(), "cut", options);
  bed.outside.configure_topic(bed.topic, {{"max.message.bytes", std::to_string(kLimit)}});
  Child daemon = bed.start();
  const auto read_long_ones = [&] {
    std::vector<Message> messages = bed.read();
    std::erase_if(messages, [](const Message& message) { return !is_long(message); });
    return messages;
  };
  ASSERT_TRUE(eventually([&] { return bed.fleet.is_caught_up() && read_long_ones().size() >= kSessions; }))
      << daemon.err();
  ASSERT_TRUE(bed.is_well()) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  const std::vector<Message> long_ones = read_long_ones();
  EXPECT_EQ(long_ones.size(), kSessions);
  for (const Message& message : long_ones)
    EXPECT_THAT(message.value, HasSubstr("\"truncated\":")) << message.value.size();
  for (const Message& message : bed.read()) {
    EXPECT_LT(message.value.size(), kLimit);
    EXPECT_EQ(message.headers.at("event.id"), text_of(message.value, "id"));
  }
}

TEST_F(KafkaDelivery, WithoutTransactionsEverythingIsThereAtLeastOnce) {
  Bed bed(one_broker(), "at-least-once", kSmall, "delivery = \"at-least-once\"");
  {
    Child daemon = bed.start();
    ASSERT_TRUE(eventually([&] { return bed.read().size() > 50; })) << daemon.err();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  }
  Child daemon = bed.start();
  bed.finish(daemon);  // without a kill nothing is repeated either
}

}  // namespace
}  // namespace sessionlogd::test
