// The daemon against a whole fleet, judged by what the fleet served.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <random>

#include "tests/daemon/simulated_fleet.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using Options = std::vector<std::string>;

std::string seconds(double count) { return fmt::format("{:.1f}", count); }

Options with(Options options, const Options& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

// Until everything that was served is committed, then to the end.
void finish(SimulatedFleet& fleet, Child& daemon, const Options& how) {
  EXPECT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << daemon.err();
  EXPECT_TRUE(eventually([&] { return fleet.agrees(how); }));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end(how, table)) << table << daemon.err();
}

const Options kSixty = {"--appliances", "60", "--sessions", "8", "--entries", "30", "--dialect", "both"};

TEST(Fleet, NothingIsLostOrRepeatedThroughFaultsAndShortTokens) {
  Workplace place;
  SimulatedFleet fleet(place, with(kSixty, {"--faults", "--token-lifetime", "5", "--duration",
                                            seconds(evolution_seconds()), "--poll", "timeout=3s"}));
  Child daemon = place.start("run");
  finish(fleet, daemon, {});
}

// Of ./dev upgrade alone, which knows a daemon of a version before.
class Upgrade : public testing::TestWithParam<int> {};

TEST_P(Upgrade, ReadsTheStateAndTheOutputOfAVersionBeforeOn) {
  ASSERT_NE(version_before(), nullptr) << "this is for ./dev upgrade BINARY";
  Workplace place;
  SimulatedFleet fleet(place, with(kSixty, {"--faults", "--duration", seconds(evolution_seconds())}));
  Child before = place.start_program({version_before(), "run", "-c", place.config().string()});
  EXPECT_TRUE(eventually([&] { return place.lines().size() > 1'000; })) << before.err();
  before.signal(GetParam());
  before.wait();
  Child daemon = place.start("run");
  finish(fleet, daemon, {});
}

INSTANTIATE_TEST_SUITE_P(StoppedAndKilled, Upgrade, testing::Values(SIGTERM, SIGKILL));

TEST(Fleet, EveryStateIsWrittenExactlyOnceWithoutFaults) {
  Workplace place;
  SimulatedFleet fleet(place, with(kSixty, {"--duration", seconds(evolution_seconds() / 2)}));
  Child daemon = place.start("run");
  finish(fleet, daemon, {"--exact"});
}

TEST(Fleet, IsReadOverTlsThatIsVerified) {
  Workplace place;
  SimulatedFleet fleet(place, {"--appliances", "6", "--sessions", "5", "--tls", "--gzip", "--duration",
                               seconds(evolution_seconds() / 5)});
  Child daemon = place.start("run");
  finish(fleet, daemon, {"--exact"});
}

// By the fleet's own count: what was asked of each appliance, when, and on how many connections.
TEST(Fleet, IsTreatedPolitelyThroughWaitsItAsksForAndEarlyEndsOfTokens) {
  Workplace place;
  SimulatedFleet fleet(place, with(kSixty, {"--fault", "429=0.05", "--fault", "503=0.05", "--fault", "retry-date=0.05",
                                            "--fault", "retry-negative=0.02", "--fault", "early-expiry=0.3", "--poll",
                                            "rate=20/s", "--duration", seconds(evolution_seconds())}));
  Child daemon = place.start("run");
  finish(fleet, daemon, {"--limits", "connections=4,rate=20"});
}

TEST(Fleet, IsTreatedPolitelyThroughServerErrorsAndTimesWithoutResponses) {
  Workplace place;
  SimulatedFleet fleet(
      place, with(kSixty, {"--fault", "server-errors-everywhere=0.5", "--fault", "down=0.5", "--fault", "hang=0.01",
                           "--duration", seconds(evolution_seconds()), "--poll", "timeout=3s"}));
  Child daemon = place.start("run");
  finish(fleet, daemon, {"--limits", "connections=4,rate=100"});
}

// Each of these is refused, or read as far as it goes, and asked for again.
TEST(Fleet, NothingIsLostOrRepeatedThroughHostileResponses) {
  Workplace place;
  Options options{"--appliances", "12",        "--sessions", "8",          "--entries",
                  "30",           "--dialect", "both",       "--duration", seconds(evolution_seconds() / 2),
                  "--poll",       "timeout=3s"};
  for (const char* fault :
       {"reset=0.01", "truncate=0.01", "cut=0.02", "empty=0.01", "html=0.02", "garbage=0.02", "wrong-length=0.02",
        "bomb-gzip=0.01", "bomb-uninvited=0.02", "huge=0.002", "other-session=0.02", "redirect=0.02", "headers=0.01",
        "http09=0.01", "loris=0.002", "utf8=0.1", "nested=0.005", "bigint=0.1"}) {
    options.insert(options.end(), {"--fault", fault});
  }
  SimulatedFleet fleet(place, options);
  Child daemon = place.start("run");
  finish(fleet, daemon, {});
  EXPECT_NE(daemon.err().find("holds bytes that are no UTF-8"), std::string::npos);
}

TEST(Fleet, WhatIsNoJsonIsKeptInQuarantine) {
  Workplace place;
  // So many responses that each fault is certain to be among them.
  SimulatedFleet fleet(place, {"--appliances", "12", "--sessions", "5", "--fault", "html=0.1", "--fault", "garbage=0.1",
                               "--fault", "cut=0.1", "--duration", "4"});
  Child daemon = place.start("run");
  finish(fleet, daemon, {});
  int pages = 0, others = 0;
  for (const auto& file : std::filesystem::directory_iterator(place / "state/quarantine")) {
    EXPECT_LE(file.file_size(), 64u << 10);
    EXPECT_EQ(file.status().permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    ++(read_text(file.path()).starts_with("<!DOCTYPE html>") ? pages : others);
  }
  // One line for many sources: it names one file, and how many others have the same trouble.
  EXPECT_NE(daemon.err().find("state/quarantine/"), std::string::npos) << daemon.err();
  EXPECT_GT(pages, 0);
  EXPECT_LE(pages, 12) << "equal bodies of a source are kept once";
  EXPECT_GT(others, 0);
}

// Nothing but a log that is read again shows them.
TEST(Fleet, EntriesThatComeUnannouncedAreFoundByVerify) {
  Workplace place;
  // Long enough for sessions that are done with long before it ends.
  SimulatedFleet fleet(place, {"--appliances", "8", "--sessions", "8", "--dialect", "both", "--fault",
                               "unannounced-entry=1", "--duration", "15"});
  place.edit_config("[daemon]\n", "[daemon]\nverify = \"10s\"\n");
  Child daemon = place.start("run");
  finish(fleet, daemon, {"--exact"});
  EXPECT_NE(daemon.err().find("that were not there when it was read last"), std::string::npos) << daemon.err();
}

TEST(Fleet, DeadAppliancesDoNotKeepOthersFromBeingDelivered) {
  Workplace place;
  SimulatedFleet fleet(
      place, {"--appliances", "12", "--dead", "6", "--sessions", "5", "--duration", seconds(evolution_seconds() / 5)});
  Child daemon = place.start("run");
  finish(fleet, daemon, {"--exact"});
}

std::map<std::string, int> count_ids(const Workplace& place) {
  std::map<std::string, int> counts;
  for (const std::string& line : place.lines()) {
    const std::size_t id = line.find("\"event\":{\"id\":\"");
    if (id == std::string::npos) ADD_FAILURE() << "no event.id: " << line;
    ++counts[line.substr(id + 15, 32)];
  }
  return counts;
}

// The judge's table has a row for it: a name, blanks, a number.
int number_in(const std::string& table, const std::string& row) {
  const std::size_t at = table.find(row);
  return at == std::string::npos ? -1 : std::stoi(table.substr(at + row.size()));
}

TEST(Fleet, ChangesFinalWritesEveryEntryOnce) {
  Workplace place;
  SimulatedFleet fleet(place, {"--appliances", "6", "--sessions", "5", "--duration", seconds(evolution_seconds() / 5),
                               "--poll", "changes=final"});
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << daemon.err();
  // The judge owes every last state, also of entries that change once more after a final status: it only counts here.
  std::string table;
  EXPECT_TRUE(eventually([&] {
    fleet.agrees({}, &table);
    return number_in(table, "entries served") == number_in(table, "events written");
  })) << table;
  EXPECT_EQ(number_in(table, "REPEATED"), 0);
  EXPECT_EQ(number_in(table, "FOREIGN"), 0);
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  const auto counts = count_ids(place);
  EXPECT_GT(counts.size(), 100u);
  for (const auto& [id, count] : counts) EXPECT_EQ(count, 1) << id;
}

TEST(Fleet, NothingIsLostOrRepeatedThroughKills) {
  std::mt19937_64 random(random_seed());
  Workplace place;
  SimulatedFleet fleet(place,
                       {"--appliances", "20", "--sessions", "8", "--duration", seconds(evolution_seconds() * 2 / 3)});
  // On a slow machine the fleet stands still before the third: there is enough to collect then, too.
  for (int kills = 0; kills < 3 || !fleet.is_frozen(); ++kills) {
    Child daemon = place.start("run");
    // A life of random length is the point here; nothing waits for it to be enough.
    eventually([&] { return !daemon.is_running(); }, std::chrono::milliseconds(random() % 2'500));
    ASSERT_TRUE(daemon.is_running()) << daemon.err();
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.wait(), -SIGKILL);
  }
  Child last = place.start("run");
  finish(fleet, last, {});
}

}  // namespace
}  // namespace sessionlogd::test
