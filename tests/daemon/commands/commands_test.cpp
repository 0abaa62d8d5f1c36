// Each command's exit status and what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
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
    if (target.find("/log") != target.npos) return ++asked, Reply(response("no log"));
    if (target.find("/sessions?") == target.npos)
      return Reply(response(R"({"id":"session-0","type":"Policy","status":"Running"})"));
    return Reply("", Reply::Then::kKeepAlive, response(R"({"results":[],"totalCount":0})"));
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
