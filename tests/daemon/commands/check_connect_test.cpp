// `check --connect`: what it asks, what it says to do, and what it leaves behind at the source.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <functional>
#include <optional>

#include "tests/daemon/appliance.h"
#include "tests/daemon/simulated_fleet.h"

namespace sessionlogd::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

TEST(CheckConnect, TriesEverySource) {
  Workplace place;
  {
    const SimulatedFleet fleet(place, {"--static", "--appliances", "3", "--sessions", "4"});
    const Outcome outcome = place.run("check", {"--connect"});
    EXPECT_EQ(outcome.status, 0) << outcome.err << outcome.out;
    EXPECT_THAT(outcome.out, ContainsRegex("aws-0000 +veeam-aws +4 +[0-9]+ +ok"));
  }
  const SimulatedFleet fleet(place, {"--static", "--appliances", "3", "--dead", "1"});
  expect_little_of_the_last(place, 1);
  const Outcome outcome = place.run("check", {"--connect"});
  EXPECT_EQ(outcome.status, 1) << outcome.err << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("SOURCE"));
  EXPECT_THAT(outcome.out, ContainsRegex("aws-0000 +veeam-aws +[0-9]+ +[0-9]+ +ok"));
  EXPECT_THAT(outcome.out, ContainsRegex("aws-0002 +veeam-aws +- +- +[^ ]"));
}

// "2026-01-31T10:00:00", so many seconds from now, in UTC.
std::string seconds_from_now(long seconds) {
  const std::time_t at = std::time(nullptr) + seconds;
  char time[32] = {};
  std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", std::gmtime(&at));
  return time;
}

std::string row_of(const std::string& id, const char* status, long start, std::optional<long> stop = std::nullopt) {
  return fmt::format(R"({{"id":"{}","type":"Policy","status":"{}","executionStartTime":"{}"{}}})", id, status,
                     seconds_from_now(start),
                     stop ? fmt::format(R"(,"executionStopTime":"{}")", seconds_from_now(*stop)) : "");
}

std::string entry_of(long at) {
  return fmt::format(R"({{"logTime":"{0}","status":"Success","message":"m","executionStartTime":"{0}"}})",
                     seconds_from_now(at));
}

// `rows` is the listing. `log` is the response to a request for the log of a session.
std::optional<TestServer::Reply> reply_with(const Appliance::Request& request, const std::vector<std::string>& rows,
                                            const std::function<std::string(std::string_view id)>& log) {
  const std::string_view target = request.target();
  if (const std::size_t end = target.rfind("/log"); end != target.npos) {
    const std::size_t begin = target.rfind('/', end - 1) + 1;
    return TestServer::Reply(log(target.substr(begin, end - begin)));
  }
  if (target.find("/sessions?") == target.npos) return std::nullopt;
  std::string listed;
  for (std::size_t i = number_behind(target, "Offset="); i < rows.size(); ++i)
    listed += (listed.empty() ? "" : ",") + rows[i];
  return TestServer::Reply(response("{\"results\":[" + listed + "]}"));
}

TEST(CheckConnect, NamesTheZoneToSet) {
  constexpr long kHour = 3600;
  const std::string fine = row_of("fine", "Succeeded", -60, -50);
  const struct {
    const char* what;
    std::vector<std::string> rows;
    std::string log;
    const char* zone;  // "" = nothing is said of it
  } cases[] = {
      {"a stop in the future", {row_of("s", "Succeeded", 2 * kHour - 60, 2 * kHour - 5)}, "", "\"[+]02:00\""},
      {"a stop behind", {row_of("s", "Succeeded", -5 * kHour - 60, -5 * kHour - 5)}, "", "\"-05:00\""},
      {"three entries in the future",
       {row_of("s", "Running", -60)},
       entry_of(2 * kHour - 9) + "," + entry_of(2 * kHour - 8) + "," + entry_of(2 * kHour - 5),
       "\"[+]02:00\""},
      {"a session that is planned", {fine, row_of("q", "NeverExecuted", 2 * kHour)}, "", ""},
      {"three that are planned",
       {fine, row_of("q", "NeverExecuted", 2 * kHour), row_of("r", "NeverExecuted", 2 * kHour),
        row_of("t", "NeverExecuted", 2 * kHour)},
       "",
       ""},
      {"an entry that speaks of what is to come", {fine}, entry_of(-55) + "," + entry_of(3 * kHour / 2), ""},
      {"one that does so, of another zone",
       {row_of("s", "Succeeded", 2 * kHour - 60, 2 * kHour - 5)},
       entry_of(2 * kHour - 9) + "," + entry_of(7 * kHour),
       "\"[+]02:00\""},
      {"one of the next century", {fine}, entry_of(-55) + "," + entry_of(100L * 365 * 24 * kHour), ""},
  };
  for (const auto& c : cases) {
    Workplace place;
    place.write("password", "secret");
    const Appliance appliance([&](const Appliance::Request& request) {
      return reply_with(request, c.rows, [&](std::string_view) { return response("{\"log\":[" + c.log + "]}"); });
    });
    place.configure(appliance.source("a", "file:" + (place / "password").string()));
    const Outcome outcome = place.run("check", {"--connect"});
    EXPECT_EQ(outcome.status, 0) << c.what << outcome.out << outcome.err;
    if (*c.zone != '\0') {
      EXPECT_THAT(outcome.out, ContainsRegex(std::string("time_zone.*") + c.zone)) << c.what;
    } else {
      EXPECT_THAT(outcome.out, testing::Not(HasSubstr("time_zone"))) << c.what;
    }
  }
}

TEST(CheckConnect, ReadsAnotherLogWhereOneIsGone) {
  Workplace place;
  place.write("password", "secret");
  std::string with_log = "old";
  const std::vector<std::string> rows{row_of("new", "Succeeded", -60, -50), row_of("old", "Succeeded", -600, -500)};
  const Appliance appliance([&](const Appliance::Request& request) {
    return reply_with(request, rows, [&](std::string_view id) {
      return id == with_log ? response("{\"log\":[" + entry_of(-590) + "]}") : response("{}", {}, "404 Not Found");
    });
  });
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  const Outcome one = place.run("check", {"--connect"});
  EXPECT_EQ(one.status, 0) << one.out << one.err;
  EXPECT_THAT(one.out, ContainsRegex("note: HTTP 404 to .*/new/log.*; this log is gone"));
  EXPECT_THAT(one.out, ContainsRegex("\"@timestamp\":"));
  EXPECT_THAT(one.out, ContainsRegex("a +veeam-aws +2 +1 +ok, but see above"));
  with_log = "none";
  const Outcome none = place.run("check", {"--connect"});
  EXPECT_EQ(none.status, 1) << none.out << none.err;
  EXPECT_THAT(none.out, ContainsRegex("a +veeam-aws +2 +- +HTTP 404 to .*/new/log.*; this log is gone"));
  EXPECT_THAT(none.out, testing::Not(HasSubstr("api_version")));
}

// Whatever was noted of a source when the time for all of them ran out: nobody has looked yet whether it is secret.
TEST(CheckConnect, ShowsNothingOfASourceThatItDidNotFinish) {
  Workplace place;
  place.write("password", "geheim&wort");
  const std::vector<std::string> rows{row_of("s", "geheim&wort", -60), row_of("t", "canary-access-0", -60)};
  const Appliance appliance([&](const Appliance::Request& request) -> std::optional<TestServer::Reply> {
    if (request.target().find("/log") != request.target().npos)
      return TestServer::Reply("", TestServer::Reply::Then::kSilence);
    return reply_with(request, rows, {});
  });
  place.configure(appliance.source("a", "file:" + (place / "password").string()), "", "timeout = \"300s\"\n");
  const Outcome outcome = place.run("check", {"--connect"});
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_THAT(outcome.out, ContainsRegex("a +veeam-aws +2 +- +no response in time"));
  EXPECT_THAT(outcome.out, testing::Not(HasSubstr("geheim")));
  EXPECT_THAT(outcome.out, testing::Not(HasSubstr("canary")));
  EXPECT_EQ(appliance.issued().size(), 1u);
  EXPECT_EQ(appliance.returned(), appliance.issued()) << "the token is handed back";
}

TEST(CheckConnect, IsNotWellWhereTheListingIsNotComplete) {
  using Reply = TestServer::Reply;
  Workplace place;
  place.write("password", "secret");
  // As many as are asked for, the first ones whatever the offset.
  Appliance appliance([&](const Appliance::Request& request) -> std::optional<Reply> {
    const std::string_view target = request.target();
    if (target.find("/sessions?") == target.npos) return std::nullopt;
    std::string rows;
    for (std::size_t i = 0; i < number_behind(target, "Limit="); ++i)
      rows += (i == 0 ? "" : ",") + fmt::format(R"({{"id":"s{}","status":"Succeeded"}})", i);
    return Reply(response("{\"results\":[" + rows + "]}"));
  });
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  const Outcome outcome = place.run("check", {"--connect"});
  EXPECT_EQ(outcome.status, 1) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out,
              ContainsRegex("a +veeam-aws +[0-9]+ +1 +the listing is not complete: .*Is it the appliance"));
}

TEST(CheckConnect, SaysWhatToDo) {
  const std::string version = R"({"message":"the requested api version is not supported"})";
  const struct {
    const char* asked;  // what is refused: a part of its path
    std::string answered;
    const char* said;
  } cases[] = {
      {"/log", response("{}", {}, "403 Forbidden"),
       "HTTP 403 to .*/log.*; give it the right to read sessions and logs"},
      {"/log", response("<html>Please sign in</html>"),
       "not a JSON object; is it the appliance that responds at this url"},
      {"/log", response("{}", {"Retry-After: 3600"}, "429 Too Many Requests"),
       "HTTP 429 to .*/log; it wants to be left"},
      {"/log", response("{}", {}, "404 Not Found"), "HTTP 404 to .*/log; this log is gone\n"},
      {"/log", response("{}", {}, "406 Not Acceptable"),
       "HTTP 406 to .*/log; does log.path of dialect veeam-aws fit it[?]\n"},
      {"/log", response("{}", {}, "500 Internal Server Error"), "HTTP 500 to .*/log; it failed by itself: try later"},
      {"/sessions?", response("{}", {}, "404 Not Found"), "HTTP 404 to [^ ]*; is api_version right[?]\n"},
      {"/sessions?", response("{}", {}, "501 Not Implemented"), "HTTP 501 to [^ ]*; is api_version right[?]\n"},
      {"/sessions?", response(version, {}, "400 Bad Request"),
       "not supported .wrong api_version[?] [^ ]* is asked for.\n"},
      {"/sessions?", response("{}", {}, "503 Service Unavailable"),
       "HTTP 503 to [^ ]*; it failed by itself: try later"},
      {"/token", response("{}", {}, "500 Internal Server Error"), "request: HTTP 500; it failed by itself: try later"},
      {"/token", response("{}", {}, "401 Unauthorized"),
       "the credentials were refused; correct the account or its secret, then try again\n"},
  };
  for (const auto& c : cases) {
    Workplace place;
    place.write("password", "geheim&wort");
    const Appliance appliance([&](const Appliance::Request& request) -> std::optional<TestServer::Reply> {
      if (request.target().find(c.asked) == request.target().npos) return std::nullopt;
      return TestServer::Reply(c.answered);
    });
    place.configure(appliance.source("a", "file:" + (place / "password").string()));
    const Outcome outcome = place.run("check", {"--connect"});
    EXPECT_EQ(outcome.status, 1) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, ContainsRegex(std::string("a +veeam-aws +. +. +.*") + c.said)) << outcome.out;
  }
}

TEST(CheckConnect, HandsItsTokensBack) {
  Workplace place;
  place.write("password", "secret");
  const Appliance appliance;
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  EXPECT_EQ(place.run("check", {"--connect"}).status, 0);
  EXPECT_EQ(appliance.issued().size(), 1u);
  EXPECT_TRUE(eventually([&] { return appliance.returned() == appliance.issued(); }));
  EXPECT_EQ(appliance.logs_read(), 1);
}

}  // namespace
}  // namespace sessionlogd::test
