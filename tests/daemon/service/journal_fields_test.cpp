#include "daemon/service/journal_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd::test {
namespace {

using Fields = std::vector<std::string>;

TEST(JournalFields, AreThoseOfWhomTheLineIsAbout) {
  struct Case {
    About about;
    std::string line;
    Fields beside;  // MESSAGE and PRIORITY
  };
  const Case cases[] = {
      {{}, "stopped: 3 events", {}},
      {{}, "", {}},
      {{.source = "aws-eu"}, "source=aws-eu responds again", {"SESSIONLOGD_SOURCE=aws-eu"}},
      {{.source = "aws-eu", .session = "90fa"},
       "source=aws-eu session=90fa still runs",
       {"SESSIONLOGD_SOURCE=aws-eu", "SESSIONLOGD_SESSION=90fa"}},
      // What an appliance says makes no field, and nothing more of one that is there.
      {{}, "source=a session=b sink=c", {}},
      {{.source = "a", .session = "x sink=file source=other"},
       "source=a session=x",
       {"SESSIONLOGD_SOURCE=a", "SESSIONLOGD_SESSION=x sink=file source=other"}},
      {{.source = "a", .session = "x\nSESSIONLOGD_SOURCE=other"},
       "...",
       {"SESSIONLOGD_SOURCE=a", "SESSIONLOGD_SESSION=x\\nSESSIONLOGD_SOURCE=other"}},
      {{.source = "a"}, "gives no logs: No space left on device", {"SESSIONLOGD_SOURCE=a"}},
      {{.sink = "file:/e"},
       "/e cannot be written: No space left on device; polling pauses",
       {"SESSIONLOGD_SINK=file:/e", "ERRNO=28"}},
      // A text that begins with another one.
      {{.sink = "kafka:t"}, "cannot start: No such device or address", {"SESSIONLOGD_SINK=kafka:t", "ERRNO=6"}},
      {{.sink = "kafka:t"}, "cannot start: No such device", {"SESSIONLOGD_SINK=kafka:t", "ERRNO=19"}},
  };
  for (const Case& one : cases) {
    Fields expected{"MESSAGE=" + one.line, "PRIORITY=4"};
    expected.insert(expected.end(), one.beside.begin(), one.beside.end());
    EXPECT_EQ(journal_fields(4, one.about, one.line), expected) << one.line;
  }
}

TEST(JournalFields, KeepALineOnItsLine) {
  EXPECT_EQ(journal_fields(3, {}, "one\nPRIORITY=0\x1b[2J").front(), "MESSAGE=one\\nPRIORITY=0\\x1b[2J");
}

}  // namespace
}  // namespace sessionlogd::test
