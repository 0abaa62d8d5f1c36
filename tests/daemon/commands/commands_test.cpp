// Each command's exit status and what it says.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>

#include "tests/daemon/appliance.h"
#include "tests/daemon/simulated_fleet.h"

namespace sessionlogd::test {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int kWrongUsage = 2, kWrongConfiguration = 78;

// The last `count` sources, which never answer, are given up soon; the others have all the time they may need.
void expect_little_of_the_last(const Workplace& place, int count) {
  std::string config = read_text(place.config());
  for (std::size_t at = config.npos; count > 0; --count) {
    at = config.rfind("[[source]]\n", at) + 11;
    config.insert(at, "poll = { timeout = \"1s\" }\n");
    at -= 12;
  }
  place.write("sessionlogd.toml", config);
}

TEST(Commands, VersionAndHelpAreWell) {
  Workplace place;
  const Outcome version = place.run_arguments({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.out, ContainsRegex("^sessionlogd [0-9]+\\.[0-9]+\\.[0-9]+\n$"));
  const Outcome help = place.run_arguments({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* command : {"run", "collect", "check", "dialects"}) EXPECT_THAT(help.out, HasSubstr(command));
}

TEST(Commands, WrongUsageIsTwo) {
  Workplace place;
  EXPECT_EQ(place.run_arguments({"dance"}).status, kWrongUsage);
  EXPECT_EQ(place.run_arguments({}).status, kWrongUsage);
  EXPECT_EQ(place.run_arguments({"run", "--dance"}).status, kWrongUsage);
}

TEST(Commands, DialectsListsThemAndPrintsOne) {
  Workplace place;
  const Outcome all = place.run_arguments({"dialects"});
  EXPECT_EQ(all.status, 0);
  EXPECT_THAT(Workplace::lines_of(all.out), testing::IsSupersetOf({"veeam-aws", "veeam-azure"}));
  const Outcome one = place.run_arguments({"dialects", "veeam-aws"});
  EXPECT_EQ(one.status, 0);
  EXPECT_THAT(one.out, HasSubstr("\nname      = \"veeam-aws\""));
  const Outcome none = place.run_arguments({"dialects", "no-such"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("no-such"));
}

TEST(Commands, AllMistakesOfAConfigurationAreSaidAtOnce) {
  Workplace place;
  place.write("sessionlogd.toml",
              "[daemon]\nstate_dir = 7\n[poll]\ninterval = \"soon\"\n[[source]]\nname = \"a b\"\ndialect = "
              "\"abacus\"\nurl = \"x\"\n");
  for (const char* command : {"run", "collect", "check"}) {
    const Outcome outcome = place.run(command);
    EXPECT_EQ(outcome.status, kWrongConfiguration) << command;
    for (const char* mistake : {":2: ", ":4: ", "abacus", "a b", "mistakes in the configuration"}) {
      EXPECT_THAT(outcome.err, HasSubstr(mistake)) << command;
    }
  }
}

TEST(Commands, FilesThatCannotBeReadAtStartAreAWrongConfiguration) {
  Workplace place;
  const Appliance appliance;
  place.write("password", "secret");
  const std::string well = appliance.source("a", "file:" + (place / "password").string());
  const std::string none = (place / "none").string();
  for (const std::string& sources :
       {std::string(), appliance.source("a", "file:" + none), well + "tls = { ca_file = \"" + none + "\" }\n"}) {
    place.configure(sources);
    const Outcome outcome = place.run("run");
    EXPECT_EQ(outcome.status, kWrongConfiguration) << sources << outcome.err;
  }
}

TEST(Commands, CheckSaysThatAConfigurationIsRight) {
  Workplace place;
  const SimulatedFleet fleet(place, {"--static", "--appliances", "2"});
  const Outcome outcome = place.run("check");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("the configuration is right, 2 sources"));
}

TEST(Commands, RunNamesFileAndLineWhereTheOutputCannotBe) {
  for (const char* name : {"missing/events.ndjson", "sessionlogd.toml"}) {
    Workplace place;
    place.write("password", "secret");
    const Appliance appliance;
    place.configure(appliance.source("a", "file:" + (place / "password").string()));
    place.edit_config(place.output().string(), (place / name).string());
    for (const char* command : {"check", "run"}) {
      const Outcome outcome = place.run(command);
      EXPECT_EQ(outcome.status, 78) << name << outcome.err;
      EXPECT_THAT(outcome.err, ContainsRegex("sessionlogd.toml:[0-9]+: sink.path: found .*, expected")) << name;
    }
  }
}

TEST(Commands, RunSaysInOneLineThatItMayHaveTooFewFiles) {
  Workplace place;
  place.write("password", "secret");
  const Appliance appliance;
  place.configure(appliance.source("a", "file:" + (place / "password").string()), "threads = 2\n");
  Child daemon = place.start_program(
      {"/bin/sh", "-c", "ulimit -n 64 && exec \"$@\"", "sh", SESSIONLOGD, "run", "-c", place.config().string()});
  EXPECT_EQ(daemon.wait(), 78) << daemon.err();
  EXPECT_THAT(daemon.err(),
              HasSubstr("may have 64 files and sockets, and with 2 threads it needs 92: raise LimitNOFILE="));
  EXPECT_EQ(Workplace::lines_of(daemon.err()).size(), 1u) << daemon.err();
}

TEST(Commands, CheckConnectTriesEverySource) {
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

std::size_t number_behind(std::string_view target, std::string_view name) {
  const std::size_t at = target.find(name);
  return at == target.npos ? 0 : std::strtoull(std::string(target.substr(at + name.size())).c_str(), nullptr, 10);
}

class CheckConnect : public testing::TestWithParam<Shown> {};

std::string on_day(std::string text) {
  for (std::size_t at; (at = text.find("DAY")) != text.npos;) text.replace(at, 3, yesterday());
  return text;
}

TEST_P(CheckConnect, SaysWhetherEventsComeOut) {
  using Reply = TestServer::Reply;
  const Shown& shown = GetParam();
  Workplace place;
  place.write("password", "geheim&wort");
  Appliance appliance([&](const Appliance::Request& request) -> std::optional<Reply> {
    const std::string_view target = request.target();
    if (target.find("/log") != target.npos)
      return Reply(answer(on_day("{" + shown.envelope + "\"log\":[" + shown.log + "]}")));
    if (target.find("/sessions?") == target.npos) return std::nullopt;
    std::string rows;
    for (std::size_t i = number_behind(target, "Offset="); i < shown.rows.size(); ++i)
      rows += (rows.empty() ? "" : ",") + shown.rows[i];
    return Reply(answer(on_day("{" + shown.total + "\"results\":[" + rows + "]}")));
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
    Commands, CheckConnect,
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
TEST(Commands, CheckConnectShowsWhatItSaysItselfWhateverThePassword) {
  for (const char* password :
       {"event", "sessionlogd", "session", "entries", "message", "status", "veeam", "session_types"}) {
    Workplace place;
    place.write("password", password);
    const Appliance appliance([&](const Appliance::Request& request) -> std::optional<TestServer::Reply> {
      const std::string_view target = request.target();
      if (target.find("/log") != target.npos) return TestServer::Reply(answer(on_day("{\"log\":[" + kEntry + "]}")));
      if (target.find("/sessions?") == target.npos) return std::nullopt;
      const std::string rows[] = {kRow, R"({"id":"s2","type":"Retention","status":"Succeeded"})"};
      std::string listed;
      for (std::size_t i = number_behind(target, "Offset="); i < std::size(rows); ++i)
        listed += (listed.empty() ? "" : ",") + rows[i];
      return TestServer::Reply(answer(on_day("{\"results\":[" + listed + "]}")));
    });
    place.configure(appliance.source("a", "file:" + (place / "password").string()) +
                    "session_types = { exclude = [\"Retention\"] }\n");
    const Outcome outcome = place.run("check", {"--connect"});
    EXPECT_EQ(outcome.status, 0) << password << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("session_types drops 1 of 2 sessions")) << password;
    EXPECT_THAT(outcome.out, HasSubstr("\"message\":\"Processing\"")) << password;
  }
}

TEST(Commands, CheckConnectSaysThatAPasswordWasRefusedWhateverItIs) {
  for (const char* password : {"credentials", "token", "HTTP 401"}) {
    Workplace place;
    place.write("password", password);
    const Appliance appliance([](const Appliance::Request&) {
      return TestServer::Reply(answer(R"({"title":"no"})", {}, "401 Unauthorized"));
    });
    place.configure(appliance.source("a", "file:" + (place / "password").string()));
    const Outcome outcome = place.run("check", {"--connect"});
    EXPECT_EQ(outcome.status, 1) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("the credentials were refused: no")) << password;
  }
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

// `rows` is the listing. `log` is the answer to a request for the log of a session.
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
  return TestServer::Reply(answer("{\"results\":[" + listed + "]}"));
}

TEST(Commands, CheckConnectNamesTheZoneToSet) {
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
      return reply_with(request, c.rows, [&](std::string_view) { return answer("{\"log\":[" + c.log + "]}"); });
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

TEST(Commands, CheckConnectReadsAnotherLogWhereOneIsGone) {
  Workplace place;
  place.write("password", "secret");
  std::string with_log = "old";
  const std::vector<std::string> rows{row_of("new", "Succeeded", -60, -50), row_of("old", "Succeeded", -600, -500)};
  const Appliance appliance([&](const Appliance::Request& request) {
    return reply_with(request, rows, [&](std::string_view id) {
      return id == with_log ? answer("{\"log\":[" + entry_of(-590) + "]}") : answer("{}", {}, "404 Not Found");
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
TEST(Commands, CheckConnectShowsNothingOfASourceThatItDidNotFinish) {
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

TEST(Commands, CheckConnectIsNotWellWhereTheListingIsNotComplete) {
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
    return Reply(answer("{\"results\":[" + rows + "]}"));
  });
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  const Outcome outcome = place.run("check", {"--connect"});
  EXPECT_EQ(outcome.status, 1) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out,
              ContainsRegex("a +veeam-aws +[0-9]+ +1 +the listing is not complete: .*Is it the appliance"));
}

TEST(Commands, CheckConnectSaysWhatToDo) {
  const std::string version = R"({"message":"the requested api version is not supported"})";
  const struct {
    const char* asked;  // what is refused: a part of its path
    std::string answered;
    const char* said;
  } cases[] = {
      {"/log", answer("{}", {}, "403 Forbidden"), "HTTP 403 to .*/log.*; give it the right to read sessions and logs"},
      {"/log", answer("<html>Please sign in</html>"),
       "not a JSON object; is it the appliance that answers at this url"},
      {"/log", answer("{}", {"Retry-After: 3600"}, "429 Too Many Requests"), "HTTP 429 to .*/log; it wants to be left"},
      {"/log", answer("{}", {}, "404 Not Found"), "HTTP 404 to .*/log; this log is gone\n"},
      {"/log", answer("{}", {}, "406 Not Acceptable"),
       "HTTP 406 to .*/log; does log.path of dialect veeam-aws fit it[?]\n"},
      {"/log", answer("{}", {}, "500 Internal Server Error"), "HTTP 500 to .*/log; it failed by itself: try later"},
      {"/sessions?", answer("{}", {}, "404 Not Found"), "HTTP 404 to [^ ]*; is api_version right[?]\n"},
      {"/sessions?", answer("{}", {}, "501 Not Implemented"), "HTTP 501 to [^ ]*; is api_version right[?]\n"},
      {"/sessions?", answer(version, {}, "400 Bad Request"),
       "not supported .wrong api_version[?] [^ ]* is asked for.\n"},
      {"/sessions?", answer("{}", {}, "503 Service Unavailable"), "HTTP 503 to [^ ]*; it failed by itself: try later"},
      {"/token", answer("{}", {}, "500 Internal Server Error"), "request: HTTP 500; it failed by itself: try later"},
      {"/token", answer("{}", {}, "401 Unauthorized"),
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

TEST(Commands, CheckConnectHandsItsTokensBack) {
  Workplace place;
  place.write("password", "secret");
  const Appliance appliance;
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  EXPECT_EQ(place.run("check", {"--connect"}).status, 0);
  EXPECT_EQ(appliance.issued().size(), 1u);
  EXPECT_TRUE(eventually([&] { return appliance.returned() == appliance.issued(); }));
  EXPECT_EQ(appliance.logs_read(), 1);
}

TEST(Commands, CollectingTwiceWritesNothingTheSecondTime) {
  Workplace place;
  SimulatedFleet fleet(place, {"--static", "--appliances", "10", "--sessions", "20"});
  const Outcome first = place.run("collect");
  EXPECT_EQ(first.status, 0) << first.err;
  const std::string written = read_text(place.output());
  EXPECT_FALSE(written.empty());
  const Outcome second = place.run("collect");
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(read_text(place.output()), written);
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end({"--exact"}, table)) << table;
}

TEST(Commands, CollectWithDeadAppliancesIsNotWellAndHasAllOfTheOthers) {
  Workplace place;
  SimulatedFleet fleet(place, {"--static", "--appliances", "6", "--dead", "2"});
  expect_little_of_the_last(place, 2);
  const Outcome outcome = place.run("collect");
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_TRUE(fleet.is_caught_up());
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end({"--exact"}, table)) << table;
}

// Given up before the listing ends, which must not make the source look well.
TEST(Commands, CollectIsNotWellWhenASessionWasLeftUnread) {
  using Reply = TestServer::Reply;
  Workplace place;
  place.write("password", "secret");
  std::atomic<bool> broken = false;
  std::atomic<int> asked = 0;
  Appliance appliance([&](const Appliance::Request& request) -> std::optional<Reply> {
    const std::string_view target = request.target();
    if (!broken || target == "/api/v1/token") return std::nullopt;
    if (target.find("/log") != target.npos) return ++asked, Reply(answer("no log"));
    if (target.find("/sessions?") == target.npos)
      return Reply(answer(R"({"id":"session-0","type":"Policy","status":"Running"})"));
    return Reply("", Reply::Then::kKeepAlive, answer(R"({"results":[],"totalCount":0})"));
  });
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  EXPECT_EQ(place.run("collect").status, 0);
  broken = true;
  Child again = place.start("collect");
  EXPECT_TRUE(eventually([&] { return again.err().find("session-0 could not be read") != std::string::npos; }))
      << asked;
  appliance.let_go();
  EXPECT_EQ(again.wait(), 1) << again.err();
}

TEST(Commands, ASinkThatIsADashWritesLinesToStandardOutput) {
  Workplace place;
  const SimulatedFleet fleet(place, {"--static", "--appliances", "2"});
  place.edit_config("path = \"" + place.output().string() + "\"", "path = \"-\"");
  const Outcome outcome = place.run("collect");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto lines = Workplace::lines_of(outcome.out);
  EXPECT_GT(lines.size(), 10u);
  for (const std::string& line : lines) EXPECT_THAT(line, StartsWith("{\"@timestamp\":"));
  EXPECT_FALSE(fs::exists(place.output()));
}

}  // namespace
}  // namespace sessionlogd::test
