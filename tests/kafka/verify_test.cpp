// `sessionlogd verify` with a Kafka sink: whether everything that the sources hold stands in the topic.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>

#include "tests/kafka/bed.h"
#include "tests/kafka/suite.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kStill = {"--static", "--appliances", "4",    "--sessions", "6", "--entries",
                                         "40",       "--dialect",    "both", "--hostile",  "0"};

class KafkaVerify : public KafkaTest {
 protected:
  static Outcome verify(Bed& bed) { return bed.place.run("verify", {"--since", "365d"}); }
};

TEST_F(KafkaVerify, FindsNothingWhenAllIsThereAndReadsNothingOlder) {
  Bed bed(one_broker(), "verified", kStill);
  const Outcome collected = bed.place.run("collect");
  ASSERT_EQ(collected.status, 0) << collected.err;
  std::vector<Message> messages = bed.read();
  Outcome found = verify(bed);
  EXPECT_EQ(found.status, 0) << found.out << found.err;
  EXPECT_THAT(found.out, HasSubstr(fmt::format("Compared with {} events in 6 partitions", messages.size())));

  bed.outside.add_partitions(bed.topic, 7);
  messages.front().partition = 6;
  constexpr std::int64_t kOf2001 = 1'000'000'000'000;
  ASSERT_TRUE(eventually([&] { return bed.outside.partitions_of(bed.topic) == 7; }));
  bed.outside.write(bed.topic, {messages.front()}, kOf2001);
  found = verify(bed);
  EXPECT_EQ(found.status, 0) << found.out << found.err;
  EXPECT_THAT(found.out, HasSubstr(fmt::format("Compared with {} events in 7 partitions", messages.size())));
}

TEST_F(KafkaVerify, FindsWhatIsMissingFromTheTopic) {
  Bed bed(one_broker(), "incomplete", kStill);
  ASSERT_EQ(bed.place.run("collect").status, 0);
  std::vector<Message> messages = bed.read();

  // All but one, in another topic.
  const auto removed = messages.begin() + static_cast<std::ptrdiff_t>(messages.size() / 2);
  const std::string source = removed->key.substr(0, removed->key.find('/'));
  const std::string session = removed->key.substr(source.size() + 1);
  messages.erase(removed);
  bed.outside.create_topic("incomplete-copy", 6);
  bed.outside.write("incomplete-copy", messages);
  bed.place.edit_config("topic = \"incomplete\"", "topic = \"incomplete-copy\"\nstate_topic = \"incomplete-state\"");
  Outcome found = verify(bed);
  EXPECT_EQ(found.status, 1) << found.out << found.err;
  const std::string line = fmt::format("\nmissing: source={} session={} logTime ", source, session);
  EXPECT_THAT(found.out, AllOf(HasSubstr(line), HasSubstr(", and by the state it was delivered\n")));
  EXPECT_THAT(found.out.substr(found.out.find(line) + 1), Not(HasSubstr("\nmissing:"))) << "one only";

  for (std::int32_t partition = 0; partition < 6; ++partition) bed.outside.empty("incomplete-copy", partition);
  found = verify(bed);
  EXPECT_EQ(found.status, 1) << found.out << found.err;
  EXPECT_THAT(found.out, HasSubstr("Compared with 0 events in 6 partitions of topic incomplete-copy; older records "
                                   "were removed"));
}

// As the version before wrote them, and as one to come may: by key and headers, the value counts only for the former.
TEST_F(KafkaVerify, RecognisesRecordsOfOtherVersions) {
  Bed bed(one_broker(), "versions", kStill);
  ASSERT_EQ(bed.place.run("collect").status, 0);
  std::vector<Message> messages = bed.read();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i % 2 == 0) {
      messages[i].headers.erase("event.format");
      messages[i].headers.erase("event.time");
    } else {
      messages[i].headers["event.format"] = "of-a-later-version";
      messages[i].value = "\x01";
    }
  }
  bed.outside.create_topic("versions-copy", 6);
  bed.outside.write("versions-copy", messages);
  bed.place.edit_config("topic = \"versions\"", "topic = \"versions-copy\"\nstate_topic = \"versions-state\"");
  const Outcome found = verify(bed);
  EXPECT_EQ(found.status, 0) << found.out << found.err;
  EXPECT_THAT(found.out, HasSubstr(fmt::format("Compared with {} events in 6 partitions", messages.size())));
}

TEST_F(KafkaVerify, DoesNotDisturbADaemonThatRuns) {
  Bed bed(one_broker(), "busy",
          {"--appliances", "4", "--sessions", "6", "--entries", "40", "--hostile", "0", "--duration", "2"});
  Child daemon = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 400; })) << daemon.err();
  const Outcome found = verify(bed);
  EXPECT_EQ(found.status, 0) << found.out << found.err;
  bed.finish(daemon);  // not exactly: what was served to `verify` alone, the daemon need not have seen
  EXPECT_THAT(daemon.err(), Not(HasSubstr("new producer")));
}

}  // namespace
}  // namespace sessionlogd::test
