// Whole processes with a format that is not ECS: collected, verified, rebuilt, reckoned, and changed for another one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bench/fleet/reckon.h"
#include "bench/fleet/verdict.h"
#include "sinks/file/rotated_name.h"
#include "tests/daemon/simulated_fleet.h"

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

}  // namespace
}  // namespace sessionlogd::test
