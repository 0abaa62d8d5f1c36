// The daemon collects from an evolving fleet and dies again and again: by SIGKILL at any moment, and at every named
// point of its commits, recoveries, rotations and compressions. The fleet's ledger judges what was written, and a
// reader that follows the output judges what it saw.
//
//   SESSIONLOGD_CRASH_ROUNDS=200 SESSIONLOGD_FORMAT=cef SESSIONLOGD_TEST_SEED=N crash_test --gtest_filter='Campaign.*'
//                                                                                          (./dev crash 200 cef)
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <utility>

#include "sinks/file/crash_point.h"
#include "tests/crash/outputs.h"
#include "tests/crash/tail_reader.h"
#include "tests/daemon/simulated_fleet.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using std::chrono::milliseconds;

int rounds_wanted() {
  const char* given = std::getenv("SESSIONLOGD_CRASH_ROUNDS");
  return given != nullptr ? std::atoi(given) : 20;
}

// Once each, in random order; then again. Removing old files is left out, for the ledger wants to see them.
class Points {
 public:
  explicit Points(std::mt19937_64& random) : random_(random) {}

  std::string next() {
    if (left_.empty()) {
      for (const std::string_view point : kCrashPoints) {
        if (point != "keep.removed") left_.emplace_back(point);
      }
      std::ranges::shuffle(left_, random_);
    }
    std::string point = left_.back();
    left_.pop_back();
    return point;
  }

 private:
  std::mt19937_64& random_;
  std::vector<std::string> left_;
};

class Campaign : public testing::Test {
 protected:
  // How the daemon dies in one life.
  void die_at_random(milliseconds life) {
    Child daemon = place.start("run");
    eventually([&] { return !daemon.is_running(); }, life);
    ASSERT_TRUE(daemon.is_running()) << daemon.err();
    daemon.signal(SIGKILL);
    ASSERT_EQ(daemon.wait(), -SIGKILL);
    ++kills;
  }

  // While every source goes on with other settings.
  void die_reloading(milliseconds life, milliseconds after_reload) {
    Child daemon = place.start("run");
    ASSERT_TRUE(eventually([&] { return daemon.err().find(" started: ") != std::string::npos; })) << daemon.err();
    eventually([&] { return !daemon.is_running(); }, life);
    const std::string before = std::exchange(max_interval, max_interval == kLong ? kLonger : kLong);
    place.edit_config(before, max_interval);
    daemon.signal(SIGHUP);
    eventually([&] { return !daemon.is_running(); }, after_reload);
    ASSERT_TRUE(daemon.is_running()) << daemon.err();
    daemon.signal(SIGKILL);
    ASSERT_EQ(daemon.wait(), -SIGKILL);
    ++kills;
  }

  // Whether it came there. If not, it is killed where it is.
  bool die_at(const std::string& point, int occurrence, milliseconds patience) {
    Child daemon = place.start("run", {}, {fmt::format("SESSIONLOGD_CRASH_AT={}:{}", point, occurrence)});
    const bool reached = eventually([&] { return !daemon.is_running(); }, patience);
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.wait(), -SIGKILL) << point << ": " << daemon.err();
    ++kills;
    return reached;
  }

  // The files as the judge takes them: plain, in their order.
  std::vector<std::string> unpacked() {
    std::vector<std::string> options{"--events"};
    const std::vector<std::string> contents = read_outputs(place.output().string());
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const std::filesystem::path name = place / fmt::format("judged-{}", i);
      std::ofstream(name, std::ios::binary) << contents[i];
      options.push_back(name.string());
    }
    return options;
  }

  const std::string kLong = "max_interval = \"2s\"", kLonger = "max_interval = \"3s\"";
  std::string max_interval = kLong;
  Workplace place;
  int kills = 0;
};

TEST_F(Campaign, LosesAndRepeatsNothingThroughDeathsAtEveryPointAndMoment) {
  std::mt19937_64 random(random_seed());
  const int rounds = rounds_wanted();
  const double seconds = 12 + 0.9 * rounds;
  SimulatedFleet fleet(place, {"--appliances", "20", "--sessions", "8", "--dialect", "both", "--faults", "--duration",
                               fmt::format("{:.0f}", seconds), "--session-length", fmt::format("{:.0f}", seconds * 0.8),
                               "--poll", "timeout=3s", "--seed", std::to_string(random() % 1'000'000 + 1)});
  place.edit_config("[sink]\n",
                    "[sink]\n" + format_of_campaigns() +
                        "commit_interval = \"100ms\"\n"
                        "rotate = { size = \"96KiB\", every = \"1s\", keep = \"all\", compress = \"zstd\" }\n");
  TailReader tail(place.output().string());
  Points first(random), second(random);
  std::set<std::string> reached;
  for (int round = 0; round < rounds; ++round) {
    if (round % 4 == 0) {
      die_reloading(milliseconds(random() % 600), milliseconds(random() % 150));
    } else if (round % 2 == 0) {
      die_at_random(milliseconds(random() % 1'200));
    } else {
      const std::string point = first.next();
      // Without lines behind the committed position there is nothing to recover.
      if (point.starts_with("recover.")) die_at("commit.synced", 1, milliseconds(1'500));
      if (die_at(point, 1 + static_cast<int>(random() % 2), milliseconds(2'000))) reached.insert(point);
    }
    if (HasFatalFailure()) return;
    // And once more while it recovers from that.
    if (round % 3 != 0) continue;
    const std::string again = second.next();
    if (die_at(again, 1, milliseconds(random() % 300))) reached.insert(again);
  }
  std::cout << fmt::format("{} kills, at {} of {} named points, {} files, {} lines seen by the tailing reader\n", kills,
                           reached.size(), kCrashPoints.size(), read_outputs(place.output().string()).size(),
                           tail.lines());
  RecordProperty("kills", kills);
  EXPECT_GE(kills, rounds);

  Child last = place.start("run");
  EXPECT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << last.err();
  EXPECT_TRUE(eventually([&] { return fleet.agrees(unpacked()); }));
  last.signal(SIGTERM);
  EXPECT_EQ(last.wait(), 0) << last.err();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end(unpacked(), table)) << table << last.err();
  std::cout << table;
  for (const std::string& complaint : tail.finish(read_outputs(place.output().string()))) ADD_FAILURE() << complaint;
}

}  // namespace
}  // namespace sessionlogd::test
