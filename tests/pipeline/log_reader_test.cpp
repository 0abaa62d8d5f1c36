// What of an entry and of its source's settings reaches the event.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/state/identity.h"
#include "tests/pipeline/entries.h"

namespace sessionlogd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

std::string aws_line(std::string_view entry) {
  const auto lines = aws().read(aws_response("s-1", {std::string(entry)}));
  EXPECT_THAT(lines, SizeIs(1)) << entry;
  return lines.empty() ? "{}" : lines[0];
}

std::string azure_line(std::string_view entry) {
  const auto lines = azure().read(azure_response("s-1", {std::string(entry)}));
  EXPECT_THAT(lines, SizeIs(1)) << entry;
  return lines.empty() ? "{}" : lines[0];
}

TEST(LogReader, EntryThatFinishesIsOneChangedEvent) {
  Reading reading = aws();
  const auto running = reading.read(aws_response("s-1", {std::string(kRunning)}));
  const auto done = reading.read(aws_response("s-1", {std::string(kDone)}));
  ASSERT_THAT(running, SizeIs(1));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(text_at(running[0], "/event/id"), text_at(done[0], "/event/id"));
  EXPECT_NE(text_at(running[0], "/event/hash"), text_at(done[0], "/event/hash"));
  EXPECT_EQ(text_at(done[0], "/sessionlog/change"), "changed");
  EXPECT_EQ(text_at(done[0], "/log/level"), "warning");
  EXPECT_THAT(done[0], HasSubstr(R"("end":"2026-01-02T03:04:09Z","duration":9000000000)"));
}

TEST(LogReader, GapsOfOneKindAreNumbered) {
  Reading reading = aws();
  const std::string first = text_at(reading.gap(GapKind::kGivenUp).at(0), "/event/id");
  EXPECT_THAT(first, testing::EndsWith(fmt::format("{:016x}", gap_key(GapKind::kGivenUp, 0, reading.session().key))));
  const std::string second = text_at(reading.gap(GapKind::kGivenUp).at(0), "/event/id");
  const std::string other = text_at(reading.gap(GapKind::kMayBeMissing).at(0), "/event/id");
  EXPECT_NE(second, first);
  EXPECT_NE(other, first);
  EXPECT_NE(other, second);
}

// State of the version before: times to the digit, and the log time in place of a start.
TEST(LogReader, WhatTheVersionBeforeDeliveredIsNotDeliveredAgain) {
  const std::string start =
      R"({"logTime":"2026-01-02T03:04:05.1234567","status":"Success","message":"a","executionStartTime":"2026-01-02T03:04:04.7654321"})";
  const std::string none = R"({"logTime":"2026-01-02T03:04:06.1234567","status":"Success","message":"b"})";
  SessionState state = aws().session();
  const auto remember = [&](Instant identity, std::string_view message, Instant log_time) {
    HashInput input;
    input.add_time(identity);
    input.add_text(message);
    const std::uint64_t key = input.entry_base(state.key);
    input.clear();
    input.add_text("Success");
    input.add_time(log_time);
    input.add_absent();
    state.history.append(key, input.event_hash(), 0);
  };
  remember({1'767'323'044, 765'432'100}, "a", {1'767'323'045, 123'456'700});
  remember({1'767'323'046, 123'456'700}, "b", {1'767'323'046, 123'456'700});
  Reading reading(source_of("veeam-aws", "aws-eu"), state);
  EXPECT_THAT(reading.read(aws_response("s-1", {start, none})), SizeIs(0));
  const auto news = reading.read(aws_response("s-1", {start, none, std::string(kDone)}));
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(text_at(news[0], "/message"), "step");
  std::string failed = start;
  failed.replace(failed.find("Success"), 7, "Failed");
  const auto changed = reading.read(aws_response("s-1", {failed, none, std::string(kDone)}));
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(text_at(changed[0], "/sessionlog/change"), "changed");
  EXPECT_THAT(text_at(changed[0], "/event/id"), testing::EndsWith(fmt::format("{:016x}", state.history.key(0))));
}

TEST(LogReader, TimesThatLoseADigitAreNotNews) {
  Reading reading = azure();
  const auto entry = [](std::string_view digits) {
    return fmt::format(R"({{"logTime":"2026-01-02T03:04:05.{}Z","status":"Success","message":"a"}})", digits);
  };
  EXPECT_THAT(reading.read(azure_response("s-1", {entry("1234567")})), SizeIs(1));
  EXPECT_THAT(reading.read(azure_response("s-1", {entry("123456")})), SizeIs(0)) << "truncated";
  EXPECT_THAT(reading.read(azure_response("s-1", {entry("123457")})), SizeIs(0)) << "rounded";
  EXPECT_THAT(reading.read(azure_response("s-1", {entry("123458")})), SizeIs(1));
}

// One that repeats without a start ticks: no event for each poll.
TEST(LogReader, EntryWithoutAStartWhoseLogTimeMovesStaysOne) {
  Reading reading = aws();
  const auto entry = [](int second, std::string_view status) {
    return fmt::format(R"({{"logTime":"2026-01-02T03:04:{:02}","status":"{}","message":"waiting"}})", second, status);
  };
  EXPECT_THAT(reading.read(aws_response("s-1", {entry(1, "Running")})), SizeIs(1));
  EXPECT_THAT(reading.read(aws_response("s-1", {entry(2, "Running")})), SizeIs(0));
  EXPECT_THAT(reading.read(aws_response("s-1", {entry(2, "Running"), entry(3, "Running")})), SizeIs(1)) << "a twin";
  EXPECT_THAT(reading.read(aws_response("s-1", {entry(4, "Success"), entry(3, "Running")})), SizeIs(1));
}

TEST(LogReader, RunningEntryThatOnlyTicksIsNoChange) {
  Reading reading = aws();
  reading.read(aws_response("s-1", {std::string(kRunning)}));
  std::string ticked(kRunning);
  ticked.replace(ticked.find("03:04:05.5"), 10, "03:04:08.1");
  EXPECT_THAT(reading.read(aws_response("s-1", {ticked})), SizeIs(0));
}

TEST(LogReader, RunningAwsEntryHasNoEnd) {
  const std::string line = aws_line(kRunning);
  EXPECT_EQ(text_at(line, "/event/start"), "2026-01-02T03:04:00Z");
  EXPECT_EQ(text_at(line, "/event/end"), "");
  EXPECT_EQ(text_at(line, "/sessionlog/duration"), "7");
  EXPECT_THAT(line, Not(HasSubstr(R"("duration":5)")));
}

TEST(LogReader, NegativeDurationIsLeftOut) {
  const std::string aws = aws_line(
      R"({"status":"Success","logTime":"2026-01-02T03:04:05","message":"m","executionStartTime":"2026-01-02T03:04:06"})");
  EXPECT_EQ(text_at(aws, "/event/end"), "2026-01-02T03:04:05Z");
  EXPECT_THAT(aws, Not(HasSubstr("duration")));
  const std::string azure = azure_line(
      R"({"status":"Success","logTime":"2026-01-02T03:04:05Z","message":"m","executionStartTime":"2026-01-02T03:04:06Z","executionDuration":"-00:00:01"})");
  EXPECT_EQ(text_at(azure, "/event/end"), "");
  EXPECT_THAT(azure, Not(HasSubstr(R"("duration":-)")));
  EXPECT_EQ(text_at(azure, "/sessionlog/duration"), "-00:00:01");
}

TEST(LogReader, AzureDurationGivesTheEnd) {
  struct Row {
    std::string_view written, expected_end, expected_duration;
  };
  for (const Row& row : {Row{R"("1.00:00:00.5")", "2026-01-03T03:04:06.500Z", R"("duration":86400500000000)"},
                         Row{R"("00:00:00")", "2026-01-02T03:04:06Z", R"("duration":0})"},
                         Row{R"("9999999.00:00:00")", "", R"("record")"},  // past 64 bits of nanoseconds
                         Row{R"("soon")", "", R"("duration":"soon")"}}) {
    const std::string line = azure_line(
        R"({"status":"Running","logTime":"2026-01-02T03:04:05Z","message":"m","executionStartTime":"2026-01-02T03:04:06Z","executionDuration":)" +
        std::string(row.written) + "}");
    EXPECT_EQ(text_at(line, "/event/end"), row.expected_end) << row.written;
    EXPECT_THAT(line, HasSubstr(row.expected_duration));
  }
}

TEST(LogReader, UnreadableEntryIsAnErrorEventWithItsRawText) {
  struct Row {
    std::string_view entry, why;
  };
  for (const Row& row :
       {Row{R"(17)", "the entry is not an object"}, Row{R"(["a", 1])", "the entry is not an object"},
        Row{R"(null)", "the entry is not an object"}, Row{R"({})", "the entry has no log time"},
        Row{R"({"logTime":null,"status":"Success"})", "the entry has no log time"},
        Row{R"({"logTime":"05/20/2020","status":"Success"})", "the log time is not an RFC 3339 time"},
        Row{R"({"logTime":"2026-01-02T03:04:05","executionStartTime":""})", "the start time is not an RFC 3339 time"},
        Row{R"({"logTime":"2026-01-02T03:04:05","message":{"a":[1, "x"]}})", "the message is not a string"},
        Row{R"({"logTime":"2026-01-02T03:04:05","status":3})", "the status is not a string"},
        Row{R"({"logTime":1,"message":"m"})", "the log time is not a string"}}) {
    Reading reading = aws();
    const std::string response = aws_response("s-1", {std::string(row.entry)});
    const auto lines = reading.read(response);
    ASSERT_THAT(lines, SizeIs(1)) << row.entry;
    EXPECT_EQ(text_at(lines[0], "/event/kind"), "pipeline_error");
    EXPECT_EQ(text_at(lines[0], "/sessionlog/change"), "error");
    EXPECT_EQ(text_at(lines[0], "/error/message"), row.why);
    EXPECT_EQ(text_at(lines[0], "/event/original"), row.entry);
    EXPECT_TRUE(parse_rfc3339(text_at(lines[0], "/@timestamp")));
    EXPECT_THAT(reading.read(response), SizeIs(0)) << "emitted twice: " << row.entry;
  }
}

TEST(LogReader, EventsStandInOrderOfTimeUnreadableOnesLast) {
  Reading reading = aws();
  const auto lines =
      reading.read(aws_response("s-1", {R"("no entry")", R"({"logTime":"2026-01-01T00:00:02","message":"c"})",
                                        R"({"logTime":"2026-01-01T02:00:01+02:00","message":"a"})",
                                        R"({"logTime":"2026-01-01T00:00:02.000","message":"d"})",
                                        R"({"logTime":"2026-01-01T00:00:01.000000001","message":"b"})"}));
  EXPECT_THAT(texts_at(lines, "/message"), ElementsAre("a", "b", "c", "d", ""));
}

TEST(LogReader, FieldsThatTheDialectDoesNotNameAreOneString) {
  const std::string line = azure_line(
      R"({"logTime":"2026-01-02T03:04:05Z","x":{"deep":[1, 2.50, "\u00e9"]},"message":"m","":"unnamed","id":9,"y":null,"resourceHashId":"r"})");
  EXPECT_EQ(text_at(line, "/sessionlog/extra"), R"({"x":{"deep":[1, 2.50, "\u00e9"]},"":"unnamed","id":9,"y":null})");
  EXPECT_EQ(text_at(line, "/sessionlog/resource_id"), "r");
  EXPECT_EQ(text_at(aws_line(kDone), "/sessionlog/extra"), "");
}

TEST(LogReader, EmptyAndAbsentMessagesDiffer) {
  EXPECT_THAT(aws_line(R"({"logTime":"2026-01-02T03:04:05","message":""})"), HasSubstr(R"("message":"")"));
  EXPECT_THAT(aws_line(R"({"logTime":"2026-01-02T03:04:05","message":null})"), Not(HasSubstr("message")));
  EXPECT_THAT(aws_line(R"({"logTime":"2026-01-02T03:04:05"})"), Not(HasSubstr("message")));
}

TEST(LogReader, KeepsTheOriginalWhenAsked) {
  SourceSettings settings = source_of("veeam-aws", "aws-eu");
  settings.keep_original = true;
  const std::string entry = "{ \"logTime\" : \"2026-01-02T03:04:05\",\n\t\"message\":\"\\u0041\" }";
  const auto lines = Reading(settings, session()).read(aws_response("s-1", {entry}));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(text_at(lines[0], "/event/original"), entry);
  EXPECT_EQ(text_at(lines[0], "/message"), "A");
  EXPECT_EQ(text_at(aws_line(entry), "/event/original"), "");
}

TEST(LogReader, CarriesLabelsAndTheSourcesIdWhereItIsNotItsName) {
  SourceSettings settings = source_of("veeam-aws", "renamed");
  settings.id = "aws-eu";
  settings.labels = {{"site", "fra1"}, {"quote", "\"\n"}};
  const std::string response = aws_response("s-1", {std::string(kDone)});
  const auto lines = Reading(settings, session()).read(response);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(text_at(lines[0], "/labels/site"), "fra1");
  EXPECT_EQ(text_at(lines[0], "/labels/quote"), "\"\n");
  EXPECT_EQ(text_at(lines[0], "/sessionlog/source"), "renamed");
  EXPECT_EQ(text_at(lines[0], "/sessionlog/source_id"), "aws-eu");

  const std::string before = aws_line(kDone);
  EXPECT_EQ(text_at(before, "/sessionlog/source_id"), "");
  EXPECT_EQ(text_at(before, "/event/id"), text_at(lines[0], "/event/id")) << "renaming changed the ids";
}

TEST(LogReader, TimeZoneMovesTheTimesAndNotTheIds) {
  SourceSettings settings = source_of("veeam-aws", "aws-eu");
  settings.time_zone = {"+02:00", std::chrono::minutes{120}};
  const std::string response = aws_response("s-1", {std::string(kDone)});
  const auto moved = Reading(settings, session()).read(response);
  ASSERT_THAT(moved, SizeIs(1));
  EXPECT_EQ(text_at(moved[0], "/@timestamp"), "2026-01-02T01:04:09Z");
  EXPECT_EQ(text_at(moved[0], "/event/start"), "2026-01-02T01:04:00Z");
  EXPECT_EQ(text_at(moved[0], "/event/end"), "2026-01-02T01:04:09Z");
  EXPECT_EQ(text_at(moved[0], "/sessionlog/log_time"), "2026-01-02T03:04:09");
  const std::string utc = aws_line(kDone);
  EXPECT_EQ(text_at(moved[0], "/event/id"), text_at(utc, "/event/id"));
  EXPECT_EQ(text_at(moved[0], "/event/hash"), text_at(utc, "/event/hash"));
}

TEST(LogReader, TimesAtTheEdgeOfTheCalendarStayInIt) {
  for (const char* name : {"America/New_York", "Asia/Tokyo"}) {
    SourceSettings settings = source_of("veeam-aws", "aws-eu");
    settings.time_zone = {name, std::nullopt};
    const auto lines = Reading(settings, session())
                           .read(aws_response("s-1", {R"({"logTime":"0000-01-01T00:00:00","message":"first"})",
                                                      R"({"logTime":"9999-12-31T23:59:59","message":"last"})"}));
    ASSERT_THAT(lines, SizeIs(2));
    for (const std::string& line : lines) {
      const std::string_view year = text_at(line, "/message") == "first" ? "0000" : "9999";
      EXPECT_EQ(text_at(line, "/@timestamp").substr(0, 4), year) << name;
    }
  }
}

TEST(LogReader, BytesThatAreNoUtf8AreReplacedAndCounted) {
  Reading reading = aws();
  const std::string bad = "{\"logTime\":\"2026-01-02T03:04:05\",\"status\":\"Success\",\"message\":\"a\xFF\xC3z\"}";
  const std::string response = aws_response("s-1", {std::string(kDone), bad});
  const auto outcome = reading.try_read(response);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->not_utf8, 1u) << "the other event has none";
  const auto lines = lines_of(reading.take_batches());
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(text_at(lines[0], "/message"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(reading.try_read(response)->not_utf8, 0u) << "only what is emitted counts";
}

TEST(LogReader, NumbersBeyondSixtyFourBitsAreKeptToTheDigit) {
  for (const std::string_view number : {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
                                        "123456789012345678901234567890.5e-999"}) {
    const std::string line = azure_line(fmt::format(
        R"({{"logTime":"2026-01-02T03:04:05","status":"Success","message":"m","resourceHashId":{0},"executionDuration":{0},"x":{0}}})",
        number));
    EXPECT_EQ(text_at(line, "/sessionlog/resource_id"), number);
    EXPECT_EQ(text_at(line, "/sessionlog/duration"), number);
    EXPECT_EQ(text_at(line, "/sessionlog/extra"), fmt::format(R"({{"x":{}}})", number));
  }
}

TEST(LogReader, EntryNestedHundredThousandDeepIsKept) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const std::string line =
      aws_line(R"({"logTime":"2026-01-02T03:04:05","status":"Success","message":"m","x":)" + deep + "}");
  EXPECT_EQ(text_at(line, "/sessionlog/extra"), "{\"x\":" + deep + "}");
}

}  // namespace
}  // namespace sessionlogd::test
