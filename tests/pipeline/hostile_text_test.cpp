// Whatever an appliance sends: a line stays one line of valid JSON, and recovery reads from it which entry it is.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json_text.h"
#include "core/state/identity.h"
#include "sinks/file/output_line.h"
#include "tests/pipeline/reading.h"

namespace sessionlogd::test {
namespace {

using testing::SizeIs;

// String tokens as they may stand in a response, and the text that must arrive.
struct Hostile {
  std::string token, text;
};

std::vector<Hostile> hostile_texts() {
  return {
      {R"("a\nb\r\nc\u0000\u0001\u001f\u007f")", std::string("a\nb\r\nc\0\x01\x1f\x7f", 10)},
      {R"("\u2028\u2029\u0085")", "\u2028\u2029\u0085"},
      {R"("\ud800")", "\uFFFD"},
      {R"("\udc00\ud800x")", "\uFFFD\uFFFDx"},
      {R"("\ud83d\ude00")", "\U0001F600"},
      {"\"\xff\xfe\xc3\"", "\uFFFD\uFFFD\uFFFD"},
      {"\"\xed\xa0\x80\"", "\uFFFD\uFFFD\uFFFD"},
      {R"("\"},\"event\":{\"id\":\"00000000000000000000000000000000\"")",
       R"("},"event":{"id":"00000000000000000000000000000000")"},
      {R"("\\\/\b\f\t")", "\\/\b\f\t"},
      {R"("</script>${jndi:ldap://x}%n%s")", "</script>${jndi:ldap://x}%n%s"},
  };
}

// Recovery must find in the line what the index says of it.
void expect_believed(const Batch& batch) {
  OutputLineReader reader;
  std::size_t at = 0;
  const std::string padded = batch.events + std::string(OutputLineReader::kPadding, '\0');
  for (const EventRef& ref : batch.index) {
    const auto read = reader.read(padded.data() + at, ref.size - 1);
    ASSERT_TRUE(read) << batch.events.substr(at, ref.size);
    EXPECT_EQ(read->session_key, batch.session_key);
    EXPECT_EQ(read->entry_key, ref.entry_key);
    EXPECT_EQ(read->hash, ref.hash);
    EXPECT_EQ(read->session_id, batch.session_id);
    EXPECT_EQ(read->source_id, batch.source_id);
    at += ref.size;
  }
}

TEST(HostileText, MessageArrivesAndNeverBreaksItsLine) {
  for (const Hostile& hostile : hostile_texts()) {
    SessionInfo info;
    info.id = "s-1";
    Reading reading(source_of("veeam-azure", "azure-uk"), info);
    const auto outcome = reading.try_read(azure_response(
        "s-1",
        {fmt::format(
            R"({{"logTime":"2026-01-02T03:04:05Z","message":{0},"status":{0},"resourceHashId":{0},"executionDuration":{0},{0}:{0}}})",
            hostile.token)}));
    ASSERT_TRUE(outcome.has_value()) << hostile.token;
    const auto batches = reading.take_batches();
    const auto lines = lines_of(batches);
    ASSERT_THAT(lines, SizeIs(1)) << hostile.token;
    for (const char* where : {"/message", "/sessionlog/status", "/sessionlog/resource_id", "/sessionlog/duration"}) {
      EXPECT_EQ(text_at(lines[0], where), hostile.text) << where;
    }
    expect_believed(batches[0]);
  }
}

TEST(HostileText, UnreadableEntryIsStillALineOfItsOwn) {
  for (const Hostile& hostile : hostile_texts()) {
    SourceSettings settings = source_of("veeam-aws", "renamed");
    settings.id = "aws-eu";
    SessionInfo info;
    info.id = "s-1";
    Reading reading(settings, info);
    const auto outcome =
        reading.try_read(aws_response("s-1", {hostile.token, fmt::format("{{\r\n\"logTime\":{}\n}}", hostile.token)}));
    ASSERT_TRUE(outcome.has_value()) << hostile.token;
    EXPECT_EQ(outcome->events_error, 2u);
    const auto batches = reading.take_batches();
    ASSERT_THAT(lines_of(batches), SizeIs(2));
    expect_believed(batches[0]);
  }
}

TEST(HostileText, SessionsMayBeCalledAnything) {
  for (const std::string& id : {std::string("a/b/../c"), std::string("a\r\nX-Injected: 1"), std::string("\"}"),
                                std::string("\u00e9\u2028"), std::string("..\\.."), std::string(512, 'x')}) {
    SessionInfo info;
    info.id = info.type = info.name = info.parent = id;
    Reading reading(source_of("veeam-aws", "aws-eu"), info);
    const auto outcome = reading.try_read(aws_response(id, {R"({"logTime":"2026-01-02T03:04:05"})"}));
    ASSERT_TRUE(outcome.has_value()) << id;
    const auto batches = reading.take_batches();
    const auto lines = lines_of(batches);
    ASSERT_THAT(lines, SizeIs(1)) << id;
    for (const char* where : {"/sessionlog/session_id", "/sessionlog/session_type", "/sessionlog/session_name",
                              "/sessionlog/parent_session_id", "/event/action"}) {
      EXPECT_EQ(text_at(lines[0], where), id) << where;
    }
    EXPECT_EQ(batches[0].session_key, session_key("aws-eu", id));
    expect_believed(batches[0]);
  }
}

}  // namespace
}  // namespace sessionlogd::test
