// The vendors' two sample responses become exactly the events that were written down by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pipeline/reading.h"
#include "tests/support/data_file.h"

namespace sessionlogd::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Seed {
  SourceSettings source;
  SessionInfo session;
  std::string response;
  std::vector<std::string> events;
};

std::vector<std::string> expected_lines(std::string_view file) {
  std::vector<std::string> lines;
  const std::string text = read_data_file(file);
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    lines.push_back(text.substr(at, text.find('\n', at) - at));
  return lines;
}

Seed aws_seed() {
  Seed seed{source_of("veeam-aws", "aws-eu"),
            {},
            read_data_file("seeds/aws-session-log.json"),
            expected_lines("seeds/aws-events.ndjson")};
  seed.source.labels = {{"site", "fra1"}};
  seed.session.id = "90faa259-fbf6-493a-b492-e59e1cfbe3a6";
  seed.session.type = "FLRTask";
  seed.session.name = "ubuntu16";
  return seed;
}

Seed azure_seed() {
  Seed seed{source_of("veeam-azure", "azure-uk"),
            {},
            read_data_file("seeds/azure-session-log.json"),
            expected_lines("seeds/azure-events.ndjson")};
  seed.session.id = "38";
  seed.session.type = "Backup";
  return seed;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Seeds, AwsResponseBecomesItsFiveEventsInOrderOfTime) {
  const Seed seed = aws_seed();
  Reading reading(seed.source, seed.session);
  ASSERT_EQ(seed.events.size(), 5u);
  EXPECT_EQ(reading.read(seed.response), seed.events);
}

TEST(Seeds, AzureResponseBecomesItsFourEvents) {
  const Seed seed = azure_seed();
  Reading reading(seed.source, seed.session);
  ASSERT_EQ(seed.events.size(), 4u);
  EXPECT_EQ(reading.read(seed.response), seed.events);
}

TEST(Seeds, SameResponseAgainEmitsNothing) {
  for (const Seed& seed : {aws_seed(), azure_seed()}) {
    Reading reading(seed.source, seed.session);
    reading.read(seed.response);
    EXPECT_THAT(reading.read(seed.response), IsEmpty());
  }
}

TEST(Seeds, OneChangedEntryIsOneChangedEventOfTheSameId) {
  const Seed aws = aws_seed();
  Reading aws_reading(aws.source, aws.session);
  aws_reading.read(aws.response);
  // An AWS row that is written again gets a new logTime.
  const auto aws_lines = aws_reading.read(replaced(aws.response, "19:15:57.919684", "19:15:58.5"));
  ASSERT_EQ(aws_lines.size(), 1u);
  EXPECT_EQ(text_at(aws_lines[0], "/event/id"), text_at(aws.events[1], "/event/id"));
  EXPECT_EQ(text_at(aws_lines[0], "/sessionlog/change"), "changed");
  EXPECT_EQ(text_at(aws_lines[0], "/@timestamp"), "2020-06-20T19:15:58.500Z");

  const Seed azure = azure_seed();
  Reading azure_reading(azure.source, azure.session);
  azure_reading.read(azure.response);
  const auto azure_lines = azure_reading.read(replaced(azure.response, "00:02:09.7753450", "00:02:10"));
  ASSERT_EQ(azure_lines.size(), 1u);
  EXPECT_EQ(text_at(azure_lines[0], "/event/id"), text_at(azure.events[1], "/event/id"));
  EXPECT_EQ(text_at(azure_lines[0], "/sessionlog/change"), "changed");
  EXPECT_EQ(text_at(azure_lines[0], "/event/end"), "2020-02-05T10:48:40.897721Z");
}

TEST(Seeds, ChangedEntryThatChangesBackIsEmittedAgain) {
  const Seed seed = aws_seed();
  Reading reading(seed.source, seed.session);
  reading.read(seed.response);
  reading.read(replaced(seed.response, "\"Success\"", "\"Warning\""));
  EXPECT_THAT(texts_at(reading.read(seed.response), "/sessionlog/status"), ElementsAre("Success"));
}

}  // namespace
}  // namespace sessionlogd::test
