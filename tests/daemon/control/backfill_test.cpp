// The operator's word to a running daemon, through the control socket.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/daemon/simulated_fleet.h"

namespace sessionlogd::test {
namespace {

bool has_socket(const Workplace& place) {
  struct stat info {};
  return ::stat((place.directory() / "state" / "control.sock").c_str(), &info) == 0 && S_ISSOCK(info.st_mode) &&
         (info.st_mode & 07777) == 0600;
}

// Sessions that ended an hour ago and more: a look-back of a minute shows none of them.
class Backfill : public testing::Test {
 protected:
  Workplace place_;
  SimulatedFleet fleet_{place_,
                        {"--static", "--appliances", "1", "--sessions", "5", "--entries", "20", "--hostile", "0",
                         "--poll", "lookback=1m", "--poll", "overlap=1s"}};
};

TEST_F(Backfill, BringsWhatIsOlderThanTheFirstListing) {
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return has_socket(place_); })) << daemon.err();
  const std::string name = fleet_.first_source();
  Outcome asked = place_.run("backfill", {name, "--since", "365d"});
  EXPECT_EQ(asked.status, 0) << asked.err;
  EXPECT_NE(asked.out.find("source=" + name + " is listed again from "), std::string::npos) << asked.out;
  EXPECT_TRUE(eventually([&] { return fleet_.agrees({"--exact"}); })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  std::string table;
  EXPECT_TRUE(fleet_.agrees_at_the_end({"--exact"}, table)) << table;
}

TEST_F(Backfill, OfAnUnknownSourceFails) {
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return has_socket(place_); })) << daemon.err();
  const Outcome asked = place_.run("backfill", {"no-such", "--since", "7d"});
  EXPECT_EQ(asked.status, 1);
  EXPECT_NE(asked.err.find("no source is named no-such"), std::string::npos) << asked.err;
}

TEST_F(Backfill, WithoutADaemonIsThree) {
  const Outcome asked = place_.run("backfill", {"any", "--since", "2026-11-01"});
  EXPECT_EQ(asked.status, 3);
  EXPECT_NE(asked.err.find("is it running"), std::string::npos) << asked.err;
}

TEST_F(Backfill, RefusesATimeItCannotRead) {
  const Outcome asked = place_.run("backfill", {"any", "--since", "yesterday"});
  EXPECT_EQ(asked.status, 2);
  EXPECT_NE(asked.err.find("found \"yesterday\", expected a day"), std::string::npos) << asked.err;
}

}  // namespace
}  // namespace sessionlogd::test
