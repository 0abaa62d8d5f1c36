// Whole processes with a format that is not ECS: collected, verified, rebuilt, reckoned, and changed for another one;
// and killed at random moments and at named points.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "bench/fleet/reckon.h"
#include "bench/fleet/verdict.h"
#include "sinks/file/crash_point.h"
#include "sinks/file/rotated_name.h"
#include "sinks/formats/formats.h"
#include "tests/daemon/simulated_fleet.h"
#include "tests/formats/plain_format.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using std::chrono::milliseconds;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

const std::vector<std::string> kStill = {"--static", "--appliances", "4",    "--sessions", "6", "--entries",
                                         "40",       "--dialect",    "both", "--hostile",  "0"};

// The judge does not know this format, which is the tests' own.
std::optional<fleet::Written> read_plain(std::string_view line) {
  const std::string padded = std::string(line) + std::string(LineReader::kPadding, 'x');
  const std::unique_ptr<LineReader> reader = kPlainFormat.reader();
  const std::optional<WrittenEvent> read = reader->read(std::string_view(padded).substr(0, line.size()));
  if (!read) return std::nullopt;
  const WrittenEvent& event = *read;
  fleet::Written written;
  written.id = fmt::format("{:016x}{:016x}", event.entry.session_key, event.entry.entry_key);
  written.hash = event.entry.hash;
  written.change = event.change == EventKind::kNew ? "new" : "changed";
  written.source = event.source_name;
  written.session = event.entry.session_id;
  written.message = event.message;
  written.status = event.status;
  written.resource = event.resource_id;
  written.extra = event.extra;
  written.log_time = event.log_time;
  written.duration = event.duration;
  written.start = event.start;
  return written;
}
const fleet::LineFormat kPlainLines{"plain", read_plain};

std::vector<std::string> names_but_ecs() {
  std::vector<std::string> names;
  for (const Format* format : formats()) {
    if (format->name != "ecs") names.emplace_back(format->name);
  }
  return names;
}

class FormatOfADaemon : public testing::TestWithParam<std::string> {
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

  void verify(std::size_t events) {
    const Outcome found = run({"verify", "--since", "365d"});
    EXPECT_EQ(found.status, 0) << found.out << found.err;
    EXPECT_THAT(found.out, HasSubstr(fmt::format("Compared with {} events", events)));
  }

  void rebuild(std::size_t events) {
    std::filesystem::remove_all(place / "state");
    const Outcome rebuilt = run({"state", "rebuild"});
    EXPECT_EQ(rebuilt.status, 0) << rebuilt.err;
    EXPECT_THAT(rebuilt.out, HasSubstr(fmt::format("The state knows {} events now", events)));
  }

  fleet::Verdict judge(const std::vector<std::string>& lines) {
    std::ofstream file(place / "judged", std::ios::binary | std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
    file.close();
    const fleet::LineFormat& format = GetParam() == "plain" ? kPlainLines : fleet::line_format(GetParam());
    return fleet::reckon((place / "ledger.ndjson").string(), {(place / "judged").string()},
                         {.format = &format, .exact = true});
  }

  // Of lines that agree with the ledger: what is done to one of them, the judge finds.
  void expect_that_the_judge_sees(const std::vector<std::string>& lines) {
    const std::size_t half = lines.size() / 2;
    std::vector<std::string> spoilt = lines;
    spoilt.erase(spoilt.begin() + static_cast<std::ptrdiff_t>(half));
    EXPECT_GE(judge(spoilt).count(fleet::Verdict::lost), 1u);
    spoilt = lines;
    spoilt.push_back(lines[half]);
    EXPECT_GE(judge(spoilt).count(fleet::Verdict::repeated), 1u);
    spoilt = lines;
    spoilt[half].replace(spoilt[half].find(" #"), 2, " @");
    EXPECT_EQ(judge(spoilt).count(fleet::Verdict::foreign), 1u);
    spoilt[half] = lines[half].substr(0, lines[half].size() - 1);
    EXPECT_EQ(judge(spoilt).count(fleet::Verdict::unreadable), 1u);
  }

  void set_format(const std::string& from, const std::string& to) { place.edit_config("[sink]" + from, "[sink]" + to); }
  void set_format() { set_format("", fmt::format("\nformat = \"{}\"", GetParam())); }

  Workplace place;
};

TEST_P(FormatOfADaemon, IsVerifiedRebuiltReckonedAndChanged) {
  SimulatedFleet fleet(place, kStill);
  set_format();
  collect();
  const std::vector<std::string> lines = place.lines();
  ASSERT_GT(lines.size(), 500u);
  EXPECT_THAT(lines, Each(StartsWith(std::string(find_format(GetParam())->opening))));
  verify(lines.size());
  rebuild(lines.size());
  collect();
  EXPECT_EQ(place.lines(), lines) << "nothing is delivered again";

  set_format(fmt::format("\nformat = \"{}\"", GetParam()), "\nformat = \"ecs\"");
  collect();
  EXPECT_THAT(place.lines(), SizeIs(0)) << "a file of its own for another format";
  const std::vector<RotatedFile> rotated = list_rotated(place.output().string());
  ASSERT_THAT(rotated, SizeIs(1));
  EXPECT_EQ(Workplace::lines_of(read_text(rotated[0].path)), lines);
  verify(lines.size());

  std::string table;
  (void)fleet.agrees_at_the_end({}, table);  // it writes its ledger; the file of the format is judged here
  const fleet::Verdict verdict = judge(lines);
  EXPECT_TRUE(verdict.agrees()) << fleet::to_table(verdict);
  EXPECT_EQ(verdict.events + verdict.errors_written, lines.size());
  expect_that_the_judge_sees(lines);
}

INSTANTIATE_TEST_SUITE_P(Each, FormatOfADaemon, testing::ValuesIn(names_but_ecs()),
                         [](const auto& each) { return each.param; });

// ECS dies in crash_test, at every point there is.
class DeathInFormat : public FormatOfADaemon {
 protected:
  void die_at_random() {
    Child daemon = place.start_program({SESSIONLOGD_CRASH, "run", "-c", place.config().string()});
    eventually([&] { return !daemon.is_running(); }, milliseconds(random_() % 1'200));
    ASSERT_TRUE(daemon.is_running()) << daemon.err();
    daemon.signal(SIGKILL);
    ASSERT_EQ(daemon.wait(), -SIGKILL);
  }

  void die_at(std::string_view point) {
    Child daemon = place.start_program({SESSIONLOGD_CRASH, "run", "-c", place.config().string()},
                                       {fmt::format("SESSIONLOGD_CRASH_AT={}", point)});
    eventually([&] { return !daemon.is_running(); }, milliseconds(1'500));
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.wait(), -SIGKILL) << point << ": " << daemon.err();
  }

  std::mt19937_64 random_{random_seed()};
};

TEST_P(DeathInFormat, LosesAndRepeatsNothing) {
  SimulatedFleet fleet(place, {"--appliances", "12", "--sessions", "6", "--entries", "30", "--dialect", "both",
                               "--faults", "--duration", fmt::format("{:.1f}", evolution_seconds() / 2)});
  set_format();
  // What was written and not committed is read back by its format alone.
  for (const std::string_view point : {"commit.written", "commit.synced", "recover.written_back"}) {
    die_at_random();
    if (HasFatalFailure()) return;
    die_at(point);
  }
  Child last = place.start_program({SESSIONLOGD_CRASH, "run", "-c", place.config().string()});
  EXPECT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << last.err();
  EXPECT_TRUE(eventually([&] { return fleet.agrees({}); }));
  last.signal(SIGTERM);
  EXPECT_EQ(last.wait(), 0) << last.err();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end({}, table)) << table << last.err();
  EXPECT_GT(place.lines().size(), 100u);
}

// The daemon that dies knows what is shipped.
std::vector<std::string> shipped_but_ecs() {
  std::vector<std::string> names = names_but_ecs();
  std::erase(names, "plain");
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, DeathInFormat, testing::ValuesIn(shipped_but_ecs()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace sessionlogd::test
