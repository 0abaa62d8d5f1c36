// What `check --connect` makes of what an appliance shows, and what it must never show itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/appliance.h"
#include "tests/daemon/workplace.h"

namespace sessionlogd::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// What an appliance shows, and what `check --connect` says of it.
struct Shown {
  const char* what;
  std::vector<std::string> rows;  // of the listing; each DAY is yesterday
  std::string log;                // of each session: what stands in the array
  std::string source_keys;
  int status;
  std::vector<const char*> said;
  std::string envelope = {};  // beside the array of the log
  std::string total = {};     // beside that of the listing
};

class ShownToCheck : public testing::TestWithParam<Shown> {};

std::string on_day(std::string text) {
  for (std::size_t at; (at = text.find("DAY")) != text.npos;) text.replace(at, 3, yesterday());
  return text;
}

TEST_P(ShownToCheck, SaysWhetherEventsComeOut) {
  using Reply = TestServer::Reply;
  const Shown& shown = GetParam();
  Workplace place;
  place.write("password", "geheim&wort");
  Appliance appliance([&](const Appliance::Request& request) -> std::optional<Reply> {
    const std::string_view target = request.target();
    if (target.find("/log") != target.npos)
      return Reply(response(on_day("{" + shown.envelope + "\"log\":[" + shown.log + "]}")));
    if (target.find("/sessions?") == target.npos) return std::nullopt;
    std::string rows;
    for (std::size_t i = number_behind(target, "Offset="); i < shown.rows.size(); ++i)
      rows += (rows.empty() ? "" : ",") + shown.rows[i];
    return Reply(response(on_day("{" + shown.total + "\"results\":[" + rows + "]}")));
  });
  place.configure(appliance.source("a", "file:" + (place / "password").string()) + shown.source_keys);
  const Outcome outcome = place.run("check", {"--connect"});
  EXPECT_EQ(outcome.status, shown.status) << outcome.out << outcome.err;
  for (const char* said : shown.said) EXPECT_THAT(outcome.out, ContainsRegex(said));
  EXPECT_THAT(outcome.out, testing::Not(HasSubstr("geheim")));
}

const std::string kRow =
    R"({"id":"s1","type":"Policy","status":"Succeeded","executionStartTime":"DAYT00:00:00Z","executionStopTime":"DAYT00:10:00Z"})";
const std::string kEntry =
    R"({"logTime":"DAYT00:00:01","status":"Success","message":"Processing","executionStartTime":"DAYT00:00:00","executionDuration":"7"})";

INSTANTIATE_TEST_SUITE_P(
    CheckConnect, ShownToCheck,
    testing::Values(
        Shown{
            "well", {kRow}, kEntry, "", 0, {"a +veeam-aws +1 +1 +ok\n", "\"@timestamp\":.*\"message\":\"Processing\""}},
        Shown{"nothing_yet", {}, "", "", 0, {"a +veeam-aws +0 +- +ok", "no session.*could not be proved"}},
        Shown{"empty_log", {kRow}, "", "", 0, {"a +veeam-aws +1 +0 +ok", "without entries: .*could not be proved"}},
        Shown{"no_message",
              {kRow},
              R"({"logTime":"DAYT00:00:01","status":"Success","text":"Processing"})",
              "",
              1,
              {"none of 1 entries has \"message\" .*they have: logTime, status, text"}},
        Shown{"no_time",
              {kRow},
              R"({"time":"DAYT00:00:01","status":"Success","message":"Processing"})",
              "",
              1,
              {"none of 1 entries has \"logTime\" .*they have: time, status, message"}},
        Shown{"some_without_time",
              {kRow},
              kEntry + R"(,{"status":"Success","message":"Late"})",
              "",
              0,
              {"1 of 2 entries cannot be read .the entry has no log time."}},
        Shown{"no_duration",
              {kRow},
              R"({"logTime":"DAYT00:00:01","status":"Success","message":"Processing","executionStartTime":null})",
              "",
              0,
              {"ok, but see above", "none of 1 entries has \"executionDuration\" .duration of"}},
        Shown{
            "status_words",
            {R"({"id":"s1","type":"Policy","status":"Abgeschlossen","executionStartTime":"DAYT00:00:00Z"})"},
            R"({"logTime":"DAYT00:00:01","status":"Erfolgreich","message":"Processing","executionStartTime":"DAYT00:00:00"})",
            "",
            0,
            {"states of sessions .*\"Abgeschlossen\" .1.", "status words .*\"Erfolgreich\" .1."}},
        Shown{"no_start_and_status",
              {R"({"id":"s1","type":"Policy","state":"Succeeded","started":"DAYT00:00:00Z"})"},
              kEntry,
              "",
              0,
              {"no session has a status .*Without it no session is ever finished",
               "no session has a start .*Without it `lookback` leaves no session alone"}},
        Shown{"ids",
              {R"({"id":"..","status":"Succeeded"})", R"({"id":"","status":"Succeeded"})"},
              kEntry,
              "",
              1,
              {"none of 2 sessions has an id that can be used"}},
        Shown{
            "some_ids", {kRow, R"({"id":"..","status":"Succeeded"})"}, kEntry, "", 0, {"1 of 2 rows have an id that"}},
        Shown{"filter_drops_all",
              {kRow},
              kEntry,
              "session_types = { include = [\"policy\"] }\n",
              1,
              {"session_types drops all 1 sessions, of types \"Policy\" .1."}},
        Shown{"filter_drops_some",
              {kRow, R"({"id":"s2","type":"Retention","status":"Succeeded"})"},
              kEntry,
              "session_types = { exclude = [\"Retention\"] }\n",
              0,
              {"session_types drops 1 of 2 sessions, of types \"Retention\" .1.", "\"@timestamp\""}},
        Shown{"shows_none_of_its_sessions",
              {},
              "",
              "",
              1,
              {"a +veeam-aws +0 +- +the listing says that there are 50 sessions and shows 0: may the account"},
              {},
              "\"totalCount\":50,"},
        Shown{"shows_some_of_its_sessions",
              {kRow},
              kEntry,
              "",
              0,
              {"says that there are 50 sessions and shows 1", "ok, but see above"},
              {},
              "\"totalCount\":50,"},
        Shown{"more_elsewhere", {kRow}, kEntry, "", 1, {"there is more of its log"}, "\"totalCount\":7,"},
        Shown{
            "echo",
            {kRow},
            R"({"logTime":"DAYT00:00:01","status":"Success","message":"bad: geheim&wort","executionStartTime":"DAYT00:00:00"})",
            "",
            1,
            {"holds a password or token of ours: nothing of it is shown"}},
        Shown{
            "controls",
            {kRow},
            R"({"logTime":"DAYT00:00:01","status":"\u001b[2J\nfake  veeam-aws  ok","message":"x","executionStartTime":"DAYT00:00:00"})",
            "",
            0,
            {"x1b.2J.nfake"}}),
    [](const testing::TestParamInfo<Shown>& shown) { return shown.param.what; });

// Words of our own messages and events, and names that the dialect has.
TEST(CheckConnect, ShowsWhatItSaysItselfWhateverThePassword) {
  for (const char* password :
       {"event", "sessionlogd", "session", "entries", "message", "status", "veeam", "session_types"}) {
    Workplace place;
    place.write("password", password);
    const Appliance appliance([&](const Appliance::Request& request) -> std::optional<TestServer::Reply> {
      const std::string_view target = request.target();
      if (target.find("/log") != target.npos) return TestServer::Reply(response(on_day("{\"log\":[" + kEntry + "]}")));
      if (target.find("/sessions?") == target.npos) return std::nullopt;
      const std::string rows[] = {kRow, R"({"id":"s2","type":"Retention","status":"Succeeded"})"};
      std::string listed;
      for (std::size_t i = number_behind(target, "Offset="); i < std::size(rows); ++i)
        listed += (listed.empty() ? "" : ",") + rows[i];
      return TestServer::Reply(response(on_day("{\"results\":[" + listed + "]}")));
    });
    place.configure(appliance.source("a", "file:" + (place / "password").string()) +
                    "session_types = { exclude = [\"Retention\"] }\n");
    const Outcome outcome = place.run("check", {"--connect"});
    EXPECT_EQ(outcome.status, 0) << password << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("session_types drops 1 of 2 sessions")) << password;
    EXPECT_THAT(outcome.out, HasSubstr("\"message\":\"Processing\"")) << password;
  }
}

TEST(CheckConnect, SaysThatAPasswordWasRefusedWhateverItIs) {
  for (const char* password : {"credentials", "token", "HTTP 401"}) {
    Workplace place;
    place.write("password", password);
    const Appliance appliance([](const Appliance::Request&) {
      return TestServer::Reply(response(R"({"title":"no"})", {}, "401 Unauthorized"));
    });
    place.configure(appliance.source("a", "file:" + (place / "password").string()));
    const Outcome outcome = place.run("check", {"--connect"});
    EXPECT_EQ(outcome.status, 1) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("the credentials were refused: no")) << password;
  }
}

}  // namespace
}  // namespace sessionlogd::test
