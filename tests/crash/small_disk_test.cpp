// Output and state on a file system that fills up and is enlarged: the daemon waits and goes on by itself.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>

#include "tests/crash/outputs.h"
#include "tests/daemon/simulated_fleet.h"
#include "tests/sinks/support.h"

namespace sessionlogd::test {
namespace {

// A file system of its own in memory; needs root.
class DiskInMemory {
 public:
  explicit DiskInMemory(std::filesystem::path at) : at_(std::move(at)) {
    std::filesystem::create_directory(at_);
    mounted_ = ::mount("none", at_.c_str(), "tmpfs", 0, "size=20m") == 0;
  }
  ~DiskInMemory() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  bool enlarge() const { return ::mount("none", at_.c_str(), "tmpfs", MS_REMOUNT, "size=400m") == 0; }
  const std::filesystem::path& path() const { return at_; }

 private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

bool says(const Child& daemon, const char* words) { return daemon.err().find(words) != std::string::npos; }

class SmallDisk : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk.mounted()) GTEST_SKIP() << "SKIPPED: a file system of its own cannot be mounted here; run as root";
  }

  // Of a fleet's configuration.
  void move_state_and_output_there() const {
    place.edit_config(fmt::format("state_dir = \"{}/state\"", place.directory().string()),
                      fmt::format("state_dir = \"{}/state\"", disk.path().string()));
    place.edit_config(fmt::format("path = \"{}/events.ndjson\"", place.directory().string()),
                      fmt::format("path = \"{}/events.ndjson\"\nrotate = {{ size = \"4MiB\", compress = \"none\" }}",
                                  disk.path().string()));
  }

  // How the output is judged: each of its files, once.
  std::vector<std::string> judged() const {
    std::vector<std::string> options{"--exact", "--events"};
    for (const std::string& content : read_outputs((disk.path() / "events.ndjson").string())) {
      const std::filesystem::path name = place / fmt::format("judged-{}", options.size());
      place.write(name.filename().string(), content);
      options.push_back(name.string());
    }
    return options;
  }

  Workplace place;
  const DiskInMemory disk{place / "disk"};
};

TEST_F(SmallDisk, IsWaitedForAndNothingIsLostOrRepeated) {
  SimulatedFleet fleet(place,
                       {"--static", "--appliances", "20", "--sessions", "20", "--entries", "120", "--hostile", "0"});
  move_state_and_output_there();
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return says(daemon, "cannot take events now") || !daemon.is_running(); }))
      << daemon.err();
  ASSERT_TRUE(daemon.is_running()) << daemon.err();
  ASSERT_TRUE(disk.enlarge());
  EXPECT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << daemon.err();

  EXPECT_TRUE(eventually([&] { return fleet.agrees(judged()); }));
  EXPECT_TRUE(eventually([&] { return says(daemon, "takes events again"); })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end(judged(), table)) << table << daemon.err();
}

TEST_F(SmallDisk, ThatIsFullAtTheStartIsWaitedForToo) {
  SimulatedFleet fleet(place, {"--static", "--appliances", "2", "--sessions", "2"});
  move_state_and_output_there();
  place.write("disk/ballast", std::string(std::size_t{20} << 20, 'b'));
  {
    Child stopped = place.start("run");
    ASSERT_TRUE(eventually([&] { return says(stopped, "cannot start now") || !stopped.is_running(); }));
    stopped.signal(SIGTERM);
    EXPECT_EQ(stopped.wait(), 0) << stopped.err();
  }
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return says(daemon, "cannot start now") || !daemon.is_running(); })) << daemon.err();
  ASSERT_TRUE(daemon.is_running()) << daemon.err();
  std::filesystem::remove(disk.path() / "ballast");
  EXPECT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

// The rows of an older schema stay until all of them are in the new one.
TEST_F(SmallDisk, ThatIsFullWhileAnOlderStateIsBroughtUpToDateIsWaitedForToo) {
  SimulatedFleet fleet(place,
                       {"--static", "--appliances", "20", "--sessions", "60", "--entries", "6", "--hostile", "0"});
  move_state_and_output_there();
  {
    Child before = place.start("run");
    ASSERT_TRUE(eventually([&] { return fleet.is_caught_up(); })) << before.err();
    before.signal(SIGTERM);
    ASSERT_EQ(before.wait(), 0) << before.err();
  }
  const std::filesystem::path state = disk.path() / "state/state.db";
  make_older(state.string(), 3);
  // Enough for the new rows and their log, not for both and the old ones.
  const std::uintmax_t left = std::filesystem::file_size(state) * 5 / 2;
  place.write("disk/ballast", std::string(std::filesystem::space(disk.path()).available - left, 'b'));
  Child pass = place.start("collect");
  EXPECT_TRUE(eventually([&] { return says(pass, "to bring it up to date takes") || !pass.is_running(); }));
  ASSERT_TRUE(pass.is_running()) << pass.err();
  EXPECT_TRUE(says(pass, "cannot start now")) << pass.err();
  std::filesystem::remove(disk.path() / "ballast");
  EXPECT_EQ(pass.wait(), 0) << pass.err();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end(judged(), table)) << table << pass.err();
}

}  // namespace
}  // namespace sessionlogd::test
