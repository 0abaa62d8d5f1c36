// `sessionlogd verify`: whether everything that the sources hold was delivered.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "tests/daemon/simulated_fleet.h"

namespace sessionlogd::test {
namespace {

const std::vector<std::string> kStill = {"--static", "--appliances", "4",    "--sessions", "6", "--entries",
                                         "40",       "--dialect",    "both", "--hostile",  "0"};

class Verify : public testing::Test {
 protected:
  Outcome verify() { return place_.run("verify", {"--since", "365d"}); }

  void write_lines(const std::vector<std::string>& lines) {
    std::ofstream out(place_.output(), std::ios::trunc);
    for (const std::string& line : lines) out << line << '\n';
  }

  Workplace place_;
};

TEST_F(Verify, FindsNothingWhenAllWasDelivered) {
  SimulatedFleet fleet(place_, kStill);
  ASSERT_EQ(place_.run("collect").status, 0);
  const Outcome found = verify();
  EXPECT_EQ(found.status, 0) << found.out << found.err;
  EXPECT_EQ(found.out.find("missing:"), std::string::npos) << found.out;
  EXPECT_NE(found.out.find(fleet.first_source()), std::string::npos) << found.out;
}

TEST_F(Verify, FindsAnEntryThatWasRemovedFromTheOutput) {
  SimulatedFleet fleet(place_, kStill);
  ASSERT_EQ(place_.run("collect").status, 0);
  std::vector<std::string> lines = place_.lines();
  const std::string removed = lines[lines.size() / 2];
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(lines.size() / 2));
  write_lines(lines);
  const Outcome found = verify();
  EXPECT_EQ(found.status, 1) << found.out << found.err;
  const std::size_t at = removed.find("\"session_id\":\"") + 14;
  EXPECT_NE(found.out.find("missing: source="), std::string::npos) << found.out;
  EXPECT_NE(found.out.find("session=" + removed.substr(at, removed.find('"', at) - at)), std::string::npos)
      << found.out;
}

TEST_F(Verify, FindsAnEntryWhosePresentFormWasNotDelivered) {
  SimulatedFleet fleet(place_, kStill);
  ASSERT_EQ(place_.run("collect").status, 0);
  std::vector<std::string> lines = place_.lines();
  // All of them: of entries with the same logTime and text it is not told which has which form.
  for (std::string& line : lines) {
    char& digit = line[line.find("\"hash\":\"") + 8];
    digit = digit == '0' ? '1' : '0';
  }
  write_lines(lines);
  const Outcome found = verify();
  EXPECT_EQ(found.status, 1) << found.out << found.err;
  EXPECT_NE(found.out.find("changed since: source="), std::string::npos) << found.out;
}

TEST_F(Verify, ReadsRotatedAndCompressedFilesToo) {
  SimulatedFleet fleet(place_, kStill);
  place_.edit_config(
      "[sink]", "[sink]\nrotate = { size = \"64KiB\", keep = \"all\", compress = \"zstd\" }\ncommit_bytes = \"16KiB\"");
  place_.edit_config("rate = \"100/s\"", "rate = \"5/s\"");  // so that it is more than one commit
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] {
    for (const auto& file : std::filesystem::directory_iterator(place_.directory())) {
      if (file.path().extension() == ".zst") return true;
    }
    return false;
  })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  ASSERT_EQ(place_.run("collect").status, 0);  // the rest: what was served last need not have been written
  const Outcome found = verify();
  EXPECT_EQ(found.status, 0) << found.out << found.err;
}

TEST_F(Verify, FindsNothingBesideADaemonThatIsBusy) {
  SimulatedFleet fleet(
      place_, {"--appliances", "4", "--sessions", "6", "--entries", "40", "--hostile", "0", "--duration", "4"});
  Child daemon = place_.start("run");
  // Each session once, at least: what is old when the daemon begins is not overdue then.
  ASSERT_TRUE(eventually([&] { return fleet.count("log_answers") > 2 * 4 * 6 && !place_.lines().empty(); }))
      << daemon.err();
  const Outcome found = verify();
  EXPECT_EQ(found.status, 0) << found.out << found.err;
}

// What comes while it does, and is gone again when verify looks a second time, is lost all the same.
TEST_F(Verify, AccusesADaemonThatStandsStill) {
  SimulatedFleet fleet(
      place_, {"--appliances", "2", "--sessions", "6", "--entries", "40", "--hostile", "0", "--duration", "6"});
  place_.edit_config("rate = \"100/s\"", "rate = \"2/s\"");  // so that it stands still with most of it unread
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return !place_.lines().empty(); })) << daemon.err();
  daemon.signal(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return daemon.has_stopped() && fleet.is_frozen(); }));
  Outcome found;
  // What came last is not overdue at first.
  EXPECT_TRUE(eventually([&] { return (found = verify()).out.find("missing: source=") != std::string::npos; }))
      << found.out << found.err;
  EXPECT_EQ(found.status, 1) << found.out << found.err;
  EXPECT_NE(found.err.find("looking again"), std::string::npos) << found.err;
  daemon.signal(SIGCONT);
}

TEST_F(Verify, SaysWhichSourceItCouldNotRead) {
  SimulatedFleet fleet(place_, kStill);
  ASSERT_EQ(place_.run("collect").status, 0);
  place_.edit_config("url = \"" + fleet.first_url(), "url = \"http://127.0.0.1:1");
  const Outcome found = verify();
  EXPECT_EQ(found.status, 1) << found.out;
  EXPECT_NE(found.out.find("not read: 127.0.0.1:1"), std::string::npos) << found.out;
}

}  // namespace
}  // namespace sessionlogd::test
