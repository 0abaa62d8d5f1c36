#include "daemon/journal_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd::test {
namespace {

using Fields = std::vector<std::string>;

TEST(JournalFields, AreTakenFromTheWordsWithWhichALineBegins) {
  struct Case {
    std::string line;
    Fields beside;  // MESSAGE and PRIORITY
  };
  const Case cases[] = {
      {"stopped: 3 events", {}},
      {"", {}},
      {"source=aws-eu answers again", {"SESSIONLOGD_SOURCE=aws-eu"}},
      {"source=aws-eu session=90fa still runs", {"SESSIONLOGD_SOURCE=aws-eu", "SESSIONLOGD_SESSION=90fa"}},
      {"source=aws-eu session=90fa: an event", {"SESSIONLOGD_SOURCE=aws-eu", "SESSIONLOGD_SESSION=90fa"}},
      {"source=aws-eu", {"SESSIONLOGD_SOURCE=aws-eu"}},
      {"source= nothing", {"SESSIONLOGD_SOURCE="}},
      // What an appliance says makes no field.
      {"source=a cannot be listed: it says session=b source=c", {"SESSIONLOGD_SOURCE=a"}},
      {"source=a gives no logs: No space left on device", {"SESSIONLOGD_SOURCE=a"}},
      {"sink=file:/var/log/e.ndjson rotated: 3 bytes", {"SESSIONLOGD_SINK=file:/var/log/e.ndjson"}},
      {"sink=file:/e cannot take events now: /e cannot be written: No space left on device; polling pauses",
       {"SESSIONLOGD_SINK=file:/e", "ERRNO=28"}},
      // A text that begins with another one.
      {"sink=kafka:t cannot start: No such device or address", {"SESSIONLOGD_SINK=kafka:t", "ERRNO=6"}},
      {"sink=kafka:t cannot start: No such device", {"SESSIONLOGD_SINK=kafka:t", "ERRNO=19"}},
  };
  for (const Case& one : cases) {
    Fields expected{"MESSAGE=" + one.line, "PRIORITY=4"};
    expected.insert(expected.end(), one.beside.begin(), one.beside.end());
    EXPECT_EQ(journal_fields(4, one.line), expected) << one.line;
  }
}

TEST(JournalFields, KeepALineThatIsSeveral) {
  EXPECT_EQ(journal_fields(3, "one\nPRIORITY=0").front(), "MESSAGE=one\nPRIORITY=0");
}

}  // namespace
}  // namespace sessionlogd::test
