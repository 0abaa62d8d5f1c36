// Whole processes with a format that is not ECS: collected, verified, rebuilt, reckoned, and changed for another one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "bench/fleet/reckon.h"
#include "bench/fleet/verdict.h"
#include "sinks/file/rotated_name.h"
#include "sinks/formats/formats.h"
#include "tests/daemon/simulated_fleet.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

const std::vector<std::string> kStill = {"--static", "--appliances", "4",    "--sessions", "6", "--entries",
                                         "40",       "--dialect",    "both", "--hostile",  "0"};

class FormatOfADaemon : public testing::Test {
 protected:
  Outcome run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), SESSIONLOGD_TWO_FORMATS);
    arguments.insert(arguments.end(), {"-c", place.config().string()});
    Child child = place.start_program(std::move(arguments));
    const int status = child.wait();
    return {status, child.out(), child.err()};
  }

  void collect() {
    const Outcome collected = run({"collect"});
    ASSERT_EQ(collected.status, 0) << collected.err;
  }

  void set_format(const std::string& from, const std::string& to) { place.edit_config("[sink]" + from, "[sink]" + to); }

  Workplace place;
};

TEST_F(FormatOfADaemon, IsVerifiedRebuiltReckonedAndChanged) {
  SimulatedFleet fleet(place, kStill);
  set_format("", "\nformat = \"plain\"");
  collect();
  const std::vector<std::string> lines = place.lines();
  ASSERT_GT(lines.size(), 500u);
  EXPECT_THAT(lines, Each(StartsWith("P1\t")));

  const auto verified = [&](std::size_t events) {
    const Outcome found = run({"verify", "--since", "365d"});
    EXPECT_EQ(found.status, 0) << found.out << found.err;
    EXPECT_THAT(found.out, HasSubstr(fmt::format("Compared with {} events", events)));
  };
  verified(lines.size());

  std::filesystem::remove_all(place / "state");
  const Outcome rebuilt = run({"state", "rebuild"});
  EXPECT_EQ(rebuilt.status, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr(fmt::format("The state knows {} events now", lines.size())));
  collect();
  EXPECT_EQ(place.lines(), lines) << "nothing is delivered again";

  set_format("\nformat = \"plain\"", "\nformat = \"ecs\"");
  collect();
  EXPECT_THAT(place.lines(), SizeIs(0)) << "a file of its own for another format";
  const std::vector<RotatedFile> rotated = list_rotated(place.output().string());
  ASSERT_THAT(rotated, SizeIs(1));
  EXPECT_EQ(Workplace::lines_of(read_text(rotated[0].path)), lines);
  verified(lines.size());

  std::string table;
  (void)fleet.agrees_at_the_end({}, table);  // it writes its ledger; its judge knows the shipped formats only
  const fleet::Verdict verdict = fleet::reckon((place / "ledger.ndjson").string(), {rotated[0].path}, {.exact = true});
  EXPECT_TRUE(verdict.agrees()) << fleet::to_table(verdict);
  EXPECT_EQ(verdict.events + verdict.errors_written, lines.size());
}

// The shipped ones: fleet_sim judges no others.
std::vector<std::string> shipped() {
  std::vector<std::string> names;
  for (const Format* format : formats()) {
    if (format->name != "plain") names.emplace_back(format->name);
  }
  return names;
}

class ShippedFormat : public FormatOfADaemon, public testing::WithParamInterface<std::string> {};

TEST_P(ShippedFormat, LosesAndRepeatsNothingThroughFaultsAndKills) {
  std::mt19937_64 random(random_seed());
  SimulatedFleet fleet(place, {"--appliances", "20", "--sessions", "6", "--entries", "30", "--dialect", "both",
                               "--faults", "--duration", fmt::format("{:.1f}", evolution_seconds() / 2)});
  set_format("", fmt::format("\nformat = \"{}\"", GetParam()));
  const auto start = [&] {
    return place.start_program({SESSIONLOGD_TWO_FORMATS, "run", "-c", place.config().string()});
  };
  for (int kills = 0; kills < 3; ++kills) {
    Child daemon = start();
    eventually([&] { return !daemon.is_running(); }, std::chrono::milliseconds(random() % 1'500));
    ASSERT_TRUE(daemon.is_running()) << daemon.err();
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.wait(), -SIGKILL);
  }
  Child last = start();
  EXPECT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << last.err();
  EXPECT_TRUE(eventually([&] { return fleet.agrees({}); }));
  last.signal(SIGTERM);
  EXPECT_EQ(last.wait(), 0) << last.err();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end({}, table)) << table << last.err();
  EXPECT_GT(place.lines().size(), 100u);
}

INSTANTIATE_TEST_SUITE_P(Each, ShippedFormat, testing::ValuesIn(shipped()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace sessionlogd::test
