// What is of OTLP alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/formats/support.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const Format& otlp() { return format_named("otlp"); }

std::string line_at(Instant timestamp, EventKind kind = EventKind::kNew) {
  Event event = event_of(kind, 7, 11);
  event.timestamp = timestamp;
  std::string line = line_in(otlp(), event);
  line.pop_back();
  return line;
}

// The protocol's times are unsigned and of nanoseconds, and 0 is none.
TEST(Otlp, ATimeThatTheProtocolCannotSayIsAnAttribute) {
  const struct {
    Instant at;
    std::string nanos, attribute;
  } cases[] = {
      {{0, 1}, "1", ""},
      {{18'446'744'073, 709'551'615}, "18446744073709551615", ""},
      {{0, 0}, "", "1970-01-01T00:00:00Z"},
      {{-62'135'596'800, 0}, "", "0001-01-01T00:00:00Z"},
      {{-1, 999'999'999}, "", "1969-12-31T23:59:59.999999999Z"},
      {{18'446'744'073, 709'551'616}, "", "2554-07-21T23:34:33.709551616Z"},
      {{253'402'300'799, 999'999'999}, "", "9999-12-31T23:59:59.999999999Z"},
  };
  for (const auto& c : cases) {
    const std::string line = line_at(c.at);
    if (c.nanos.empty()) {
      EXPECT_THAT(line, Not(HasSubstr("\"timeUnixNano\"")));
      EXPECT_THAT(line, HasSubstr(R"({"key":"sessionlog.timestamp","value":{"stringValue":")" + c.attribute + "\"}}"));
    } else {
      EXPECT_THAT(line, HasSubstr("\"timeUnixNano\":\"" + c.nanos + "\""));
      EXPECT_THAT(line, Not(HasSubstr("sessionlog.timestamp")));
    }
    const ReadLine read(otlp(), line);
    ASSERT_TRUE(read.event()) << line;
    EXPECT_EQ(read.event()->entry.log_time, c.at) << line;
  }
}

TEST(Otlp, OneRecordALine) {
  const std::string line = line_at({1, 0});
  const auto with_another = [&](std::string_view list) {
    const std::size_t begin = line.find(list) + list.size();
    return line.substr(0, begin) + "{}," + line.substr(begin);
  };
  ASSERT_TRUE(ReadLine(otlp(), line).event());
  for (const char* list : {"\"resourceLogs\":[", "\"scopeLogs\":[", "\"logRecords\":["})
    EXPECT_FALSE(ReadLine(otlp(), with_another(list)).event()) << list;
}

TEST(Otlp, OfAnotherScopeIsNotOurs) {
  std::string line = line_at({1, 0});
  const std::string_view name = R"("scope":{"name":"sessionlogd")";
  line.replace(line.find(name), name.size(), R"("scope":{"name":"another")");
  EXPECT_FALSE(ReadLine(otlp(), line).event());
}

// What has its default is not there.
TEST(Otlp, AnAbsentTextLeavesNothing) {
  const std::string line = line_in(otlp(), bare_event_of(EventKind::kNew, 7, 11));
  for (const char* absent : {"\"body\"", ":\"\"", "null", "event.start", "event.duration", "error.message"})
    EXPECT_THAT(line, Not(HasSubstr(absent)));
}

}  // namespace
}  // namespace sessionlogd::test
