// The sink through every crash point and every lie about a commit: a reader finds each entry once, in order, and what
// was acknowledged is there.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <map>
#include <sstream>

#include "tests/daemon/workplace.h"
#include "tests/kafka/outside.h"
#include "tests/kafka/suite.h"

namespace sessionlogd::test {
namespace {

using Counts = std::map<std::uint64_t, std::uint64_t>;  // entries by session
constexpr const char* kCommits = "4";

class KafkaCrash : public KafkaTest {
 protected:
  // Judges by the headers alone. Each session's entries must be 0, 1, 2, ...
  Counts read(const std::string& topic) {
    Counts counts;
    for (const Message& message : outside_.read(topic)) {
      const std::string& id = message.headers.at("event.id");
      const std::uint64_t session = std::stoull(id.substr(0, 16), nullptr, 16);
      const std::uint64_t entry = std::stoull(id.substr(16), nullptr, 16);
      EXPECT_EQ(entry, counts[session]) << topic << " session " << session << ", offset " << message.offset;
      counts[session] = entry + 1;
    }
    return counts;
  }

  Child start(const std::string& topic, const std::string& trouble = "") {
    std::vector<std::string> command{KAFKA_WRITER, one_broker().addresses(), topic, kCommits};
    if (!trouble.empty()) command.push_back(trouble);
    return place_.start_program(std::move(command));
  }

  static Counts acknowledged(const Child& writer) {
    Counts counts;
    std::istringstream lines(writer.out());
    for (std::uint64_t session = 0, count = 0; lines >> session >> count;)
      counts[session] = std::max(counts[session], count);
    return counts;
  }

  void expect_all_there(const Counts& told, const Counts& read, const Child& writer) {
    for (const auto& [session, count] : told)
      EXPECT_GE(read.contains(session) ? read.at(session) : 0, count) << "session " << session << "\n" << writer.err();
  }

  Workplace place_;
  Outside outside_{one_broker().addresses()};
};

TEST_F(KafkaCrash, LosesAndRepeatsNothingAtAnyPoint) {
  const std::string topic = "crash";
  outside_.create_topic(topic, 3);
  for (const char* trouble :
       {"die-before:init:1", "die-after:init:1", "die-before:begin:2", "die-after:produce:20", "die-before:flush:2",
        "die-after:flush:2", "die-before:commit:1", "die-after:commit:1", "die-before:commit:3", "die-during:commit:2",
        "die-during:commit:3", "die-during:commit:4", "die-after:commit:3"}) {
    SCOPED_TRACE(trouble);
    Child writer = start(topic, trouble);
    EXPECT_EQ(writer.wait(), -SIGKILL) << writer.err();
    Child next = start(topic);  // recovers, and complains if state and acknowledgements differ
    EXPECT_EQ(next.wait(), 0) << next.err();
    const Counts there = read(topic);
    expect_all_there(acknowledged(writer), there, writer);
    EXPECT_EQ(acknowledged(next).size(), 5u < there.size() ? 5u : acknowledged(next).size());
    expect_all_there(acknowledged(next), there, next);
  }
}

TEST_F(KafkaCrash, ReadsTheOutcomeOfACommitInDoubt) {
  const std::string topic = "doubt";
  outside_.create_topic(topic, 3);
  for (const char* trouble : {"fail-after:commit:2", "fail-before:commit:2", "fail-after:commit:4",
                              "fail-before:flush:3", "fail-after:begin:2", "fail-before:begin:3", "fail-after:init:1",
                              "fail-before:init:1", "fail-before:produce:30", "fail-after:commit:1"}) {
    SCOPED_TRACE(trouble);
    Child writer = start(topic, trouble);
    EXPECT_EQ(writer.wait(), 0) << writer.err();
    const Counts there = read(topic);
    EXPECT_EQ(acknowledged(writer).empty(), false);
    for (const auto& [session, count] : acknowledged(writer)) EXPECT_EQ(there.at(session), count) << writer.err();
  }
}

TEST_F(KafkaCrash, AZombieEndsAndNamesItsSuccessor) {
  const std::string topic = "zombie";
  outside_.create_topic(topic, 3);
  Child zombie = start(topic, "stop-before:commit:3");
  ASSERT_TRUE(eventually([&] { return zombie.has_stopped(); })) << zombie.err();
  Child next = start(topic);
  EXPECT_EQ(next.wait(), 0) << next.err();
  zombie.signal(SIGCONT);
  EXPECT_EQ(zombie.wait(), 79) << zombie.err();
  EXPECT_THAT(zombie.err(), testing::HasSubstr("has taken over: on "));
  const Counts there = read(topic);
  expect_all_there(acknowledged(next), there, next);
}

TEST_F(KafkaCrash, GoesOnAfterItsTransactionExpired) {
  const std::string topic = "expiry";
  outside_.create_topic(topic, 3);
  Child writer = start(topic, "stop-before:commit:3");
  ASSERT_TRUE(eventually([&] { return writer.has_stopped(); })) << writer.err();
  // Seen by a reader: the open transaction holds it up until the broker gives it up.
  const auto end = outside_.span_of(topic).second;
  ASSERT_TRUE(eventually([&] { return outside_.span_of(topic).second > end; }));
  writer.signal(SIGCONT);
  EXPECT_EQ(writer.wait(), 0) << writer.err();
  const Counts there = read(topic);
  for (const auto& [session, count] : acknowledged(writer)) EXPECT_EQ(there.at(session), count) << writer.err();
}

}  // namespace
}  // namespace sessionlogd::test
