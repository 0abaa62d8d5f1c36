#include "core/polling/session_list.h"

#include <gtest/gtest.h>

#include "tests/core/built_in.h"

namespace sessionlogd {
namespace {

using test::aws;
using test::azure;

SessionPage page(std::string_view body, const Dialect& dialect = aws()) {
  return parse_session_page(dialect, body).value();
}
ListedSession row(std::string_view text, const Dialect& dialect = aws()) {
  return page(R"({"results":[)" + std::string(text) + "]}", dialect).sessions.at(0);
}

TEST(SessionList, ReadsRowsOfBothDialects) {
  const ListedSession one = row(R"({"id":"s1","type":"Policy","name":"nightly","status":"Succeeded",
      "executionStartTime":"2020-06-20T19:12:00","executionStopTime":"2020-06-20T19:13:00Z","usn":7})");
  EXPECT_EQ(one.id + "|" + one.type + "|" + one.name + "|" + one.status + "|" + one.parent,
            "s1|Policy|nightly|Succeeded|");
  EXPECT_FALSE(one.start->zoned);
  EXPECT_TRUE(one.stop->zoned);
  const ListedSession two = row(
      R"({"id":5,"backupJobInfo":null,"restoreJobInfo":{"backupPolicyDisplayName":"restore"},"executionStopTime":null})",
      azure());
  EXPECT_EQ(two.id + "|" + two.name, "5|restore");
  EXPECT_FALSE(two.stop);
  EXPECT_EQ(
      row(R"({"id":"x","backupJobInfo":{"policyName":"first"},"restoreJobInfo":{"backupPolicyDisplayName":"second"}})",
          azure())
          .name,
      "first");
  EXPECT_EQ(row(R"({"id":"x","backupJobInfo":"text","b":{"policyName":"x"}})", azure()).name, "");
}

TEST(SessionList, ReadsTotals) {
  struct Case {
    std::string_view total;
    std::optional<std::uint64_t> read;
  };
  const Case cases[] = {
      {"3", 3},  {"0", 0}, {"null", {}}, {"\"3\"", {}}, {"-1", {}}, {"1.5", {}}, {"99999999999999999999999", {}},
      {"{}", {}}};
  for (const Case& c : cases)
    EXPECT_EQ(page(R"({"totalCount":)" + std::string(c.total) + R"(,"results":[]})").total, c.read) << c.total;
  EXPECT_FALSE(page(R"({"results":[]})").total);
}

TEST(SessionList, CountsRowsWithoutAUsableId) {
  for (const std::string& id :
       {std::string("null"), std::string("\"\""), std::string("\".\""), std::string("\"..\""), std::string("true"),
        std::string("{}"), std::string(R"("a\r\nb")"), std::string(R"("a\nb")"), std::string(R"("\u0000")"),
        std::string(R"("a\u007f")"), "\"" + std::string(513, 'x') + "\""}) {
    const SessionPage read = page(R"({"results":[{"id":)" + id + R"(},{"id":"s2"}]})");
    EXPECT_EQ(read.rows.size(), 2u) << id;
    ASSERT_EQ(read.sessions.size(), 1u) << id;
    EXPECT_EQ(read.sessions[0].id, "s2");
  }
  const SessionPage none = page(R"({"results":[null,5,"x",[],{}]})");
  EXPECT_EQ(none.rows.size(), 5u);
  EXPECT_TRUE(none.sessions.empty());
  EXPECT_EQ(page(R"({"results":[{"id":"..."},{"id":"a/../b"},{"id":"\u0061"}]})").sessions.size(), 3u);
}

TEST(SessionList, TakesPagesWithoutSessions) {
  for (const std::string_view body :
       {R"({"results":[]})", R"({"results":null,"totalCount":0})", R"({"totalCount":0,"results":null})",
        "\xEF\xBB\xBF{\"results\":[ ]}\n", R"({"r\u0065sults":[]})"}) {
    EXPECT_TRUE(page(body).rows.empty()) << body;
  }
}

TEST(SessionList, RefusesWhatIsNotAWholePage) {
  for (const std::string_view body :
       {"", "[]", "{}", "null", "<html>", R"({"results":null})", R"({"results":null,"totalCount":null})",
        R"({"results":null,"totalCount":3})", R"({"Results":[]})", R"({"message":"The service is starting"})",
        R"({"results":{}})", R"({"results":"x"})", R"({"results":nope})", R"({"results":[{"id":"a"}])",
        R"({"results":[{"id":"a"},]})", R"({"results":[{"id":"a"}]}x)", R"({"results":[{"id":"a"}],"x":tru})",
        R"({"results":[{"id":"a)"}) {
    const auto read = parse_session_page(aws(), body);
    ASSERT_TRUE(read.has_error()) << body;
    EXPECT_EQ(read.error().kind, ErrorKind::kBadResponse) << body;
  }
}

TEST(SessionList, RefusesAPageOfEndlessRows) {
  for (const std::string_view element : {"0", R"({"id":"s"})"}) {
    std::string rows(element);
    for (int i = 1; i < 20'000; ++i) rows.append(",").append(element);
    EXPECT_EQ(page(R"({"results":[)" + rows + "]}").rows.size(), 20'000u);
    const auto read = parse_session_page(aws(), R"({"results":[)" + rows + "," + std::string(element) + "]}");
    ASSERT_TRUE(read.has_error());
    EXPECT_NE(read.error().detail.find("more than 20000 rows"), std::string::npos) << read.error().detail;
  }
}

// A name would stand in every event of the session.
TEST(SessionList, LeavesOutEndlessTexts) {
  const std::string endless(1u << 20, '\xFF');
  const ListedSession one = row(R"({"id":"s1","name":")" + endless + R"(","type":"Policy",")" + endless + R"(":1})");
  EXPECT_EQ(one.id + "|" + one.name + "|" + one.type, "s1||Policy");
}

TEST(SessionList, LooksForNothingBehindEndlessMembers) {
  std::string members;
  for (int i = 0; i < 2'000; ++i) members += R"("x":0,)";
  const ListedSession one = row(R"({"\u0069d":"s1",)" + members + R"("type":"Policy"})");
  EXPECT_EQ(one.id + "|" + one.type, "s1|");
}

TEST(SessionList, ReadsOneSession) {
  EXPECT_EQ(parse_session(aws(), "\xEF\xBB\xBF {\"id\":\"s1\"}\n").value().id, "s1");
  for (const std::string_view body :
       {"", " ", "[]", "{}", R"({"id":".."})", R"({"id":"s1")", R"({"id":"s1"}x)", R"({"id":"s1"}{})"}) {
    EXPECT_TRUE(parse_session(aws(), body).has_error()) << body;
  }
}

TEST(SessionList, DigestsWhatTellsOfAChange) {
  const auto digest = [](std::string_view text) {
    return row(R"({"id":"s1","type":"T","status":"S","usn":1,)" + std::string(text) + "}").digest;
  };
  EXPECT_EQ(digest(R"("name":"a")"), digest(R"("name":"b","z":1)"));
  EXPECT_NE(digest(R"("executionStopTime":"x")"), digest(R"("executionStopTime":"y")"));
  EXPECT_NE(row(R"({"id":"s1","usn":1})").digest, row(R"({"id":"s1","usn":2})").digest);
  EXPECT_NE(row(R"({"id":"s1","status":"a"})").digest, row(R"({"id":"s1","type":"a"})").digest);
}

TEST(SessionList, TellsSessionsOfOneIdApartByTheirStart) {
  const auto digest = [](std::string_view start) {
    return row(R"({"id":"s1","executionStartTime":")" + std::string(start) + "\"}").digest;
  };
  EXPECT_TRUE(same_start(digest("2026-01-01T00:00:00"), digest("2026-01-01T00:00:00.000")));
  EXPECT_FALSE(same_start(digest("2026-01-01T00:00:00"), digest("2026-01-01T00:00:01")));
  EXPECT_TRUE(same_start(digest("2026-01-01T00:00:00"), row(R"({"id":"s1"})").digest));
}

TEST(SessionList, TellsAStartInAnotherZoneFromAnotherStart) {
  const auto started = [](std::string_view start) {
    return row(R"({"id":"s1","executionStartTime":")" + std::string(start) + "\"}");
  };
  struct Case {
    std::string_view before, now;
    int minutes;
  };
  const Case cases[] = {
      {"2026-01-01T00:00:00.123456", "2026-01-01T01:00:00.123456", 60},
      {"2026-01-01T02:00:00.1234567", "2026-01-01T00:00:00.123456Z", -120},
      {"2026-01-01T00:00:00", "2026-01-01T05:45:00", 345},
      {"2026-01-01T00:00:00", "2026-01-02T02:00:00", 26 * 60},
      {"2026-01-01T00:00:00", "2026-01-02T02:15:00", 0},
      {"2026-01-01T00:00:00", "2026-01-01T00:00:00Z", 0},
      {"2026-01-01T00:00:00", "2026-01-01T01:00:00.000001", 0},
      {"2026-01-01T00:00:00", "2026-01-01T00:14:00", 0},
      {"", "2026-01-01T01:00:00", 0},
      {"2026-01-01T00:00:00", "", 0},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(shift_since(started(c.before).digest, started(c.now)).span().count(), c.minutes)
        << c.before << " " << c.now;
  }
}

TEST(SessionList, ReadsARowAsItWasBeforeItsTimesWereShifted) {
  const auto ran = [](std::string_view start, std::string_view stop) {
    return row(R"({"id":"s1","status":"S","usn":7,"executionStartTime":")" + std::string(start) +
               R"(","executionStopTime":")" + std::string(stop) + "\"}");
  };
  constexpr TimeShift kHour{4};
  const ListedSession row = ran("2026-01-01T00:00:00", "2026-01-01T00:05:00");
  const ListedSession before = before_shift(ran("2026-01-01T01:00:00", "2026-01-01T01:05:00"), kHour);
  EXPECT_EQ(before.digest, row.digest);
  EXPECT_EQ(before.stop_hash, row.stop_hash);
  EXPECT_NE(before_shift(ran("2026-01-01T01:00:00", "2026-01-01T00:05:00"), kHour).digest, row.digest);
  EXPECT_EQ(before_shift(ran("2026-01-01T01:00:00", "no time"), kHour).digest,
            ran("2026-01-01T00:00:00", "no time").digest);
}

TEST(SessionList, DigestsTimesToTheMicrosecondAndWithoutTheirZone) {
  const auto digest = [](std::string_view start, std::string_view stop) {
    return row(R"({"id":"s1","executionStartTime":")" + std::string(start) + R"(","executionStopTime":")" +
               std::string(stop) + "\"}")
        .digest;
  };
  const std::uint64_t six = digest("2026-01-01T00:00:00.123456", "2026-01-01T00:01:00.123456");
  EXPECT_EQ(digest("2026-01-01T00:00:00.1234567", "2026-01-01T00:01:00.1234569"), six);
  EXPECT_EQ(digest("2026-01-01T00:00:00.123456Z", "2026-01-01T00:01:00.123456Z"), six);
  EXPECT_NE(digest("2026-01-01T00:00:00.123456", "2026-01-01T00:01:00.123457"), six);
}

TEST(SessionList, TakesTheYearOneForNoTime) {
  const ListedSession one =
      row(R"({"id":"s1","executionStartTime":"0001-01-01T00:00:00","executionStopTime":"0001-01-01T00:00:00Z"})");
  EXPECT_FALSE(one.start);
  EXPECT_FALSE(one.stop);
  EXPECT_EQ(one.digest, row(R"({"id":"s1"})").digest);
}

}  // namespace
}  // namespace sessionlogd
