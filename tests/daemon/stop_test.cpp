// How the daemon ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/appliance.h"
#include "tests/daemon/simulated_fleet.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;
using Reply = TestServer::Reply;

class StopBySignal : public testing::TestWithParam<int> {};

TEST_P(StopBySignal, UnderLoadIsCleanAndHandsTokensBack) {
  Workplace place;
  place.write("password", "secret");
  Appliance appliance;
  appliance.sessions = 50;
  std::string sources;
  for (int i = 0; i < 8; ++i)
    sources += appliance.source("source-" + std::to_string(i), "file:" + (place / "password").string());
  place.configure(sources);
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return appliance.issued().size() == 8 && appliance.logs_read() > 800; }))
      << daemon.err();
  daemon.signal(GetParam());
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  // What was sent is there; the appliance may still be about to read it.
  EXPECT_TRUE(eventually([&] { return appliance.returned() == appliance.issued(); }));
  EXPECT_THAT(daemon.err(), HasSubstr("stopped: "));
}

INSTANTIATE_TEST_SUITE_P(Both, StopBySignal, testing::Values(SIGTERM, SIGINT));

// What is asked and not answered, so that the stop comes in the middle of it.
class Unanswered : public testing::TestWithParam<std::string> {};

TEST_P(Unanswered, RequestDoesNotHoldUpTheEnd) {
  Workplace place;
  place.write("password", "secret");
  std::atomic<bool> asked = false;
  Appliance appliance([&](const Appliance::Request& request) -> std::optional<Reply> {
    if (std::string_view(request.target()).find(GetParam()) == std::string_view::npos) return std::nullopt;
    asked = true;
    return Reply("", Reply::Then::kSilence);
  });
  place.configure(appliance.source("a", "file:" + (place / "password").string()), "", "timeout = \"1h\"");
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return asked.load(); })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, Unanswered, testing::Values("/token", "/sessions?", "/log"));

TEST(Stop, BeforeAnythingIsThereToReadIsClean) {
  Workplace place;
  place.write("password", "secret");
  Appliance appliance;
  appliance.sessions = 0;
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return appliance.issued().size() == 1; }));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_EQ(place.lines().size(), 0u);
}

// /dev/full refuses every byte, as a disk does that is full.
TEST(Stop, WhileTheSinkIsFullSaysWhatBecomesOfTheRest) {
  Workplace place;
  place.write("password", "secret");
  Appliance appliance;
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  place.edit_config("path = \"" + place.output().string() + "\"", "path = \"-\"");
  Child daemon({SESSIONLOGD, "run", "-c", place.config().string()}, {"/dev/full", place / "err"});
  ASSERT_TRUE(eventually([&] { return daemon.err().find("cannot take events now") != std::string::npos; }));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 1);
  EXPECT_THAT(daemon.err(), HasSubstr("did not take the last events before the end"));
}

// A limit on the size of files stands for a full disk. What was read and not written is read again at the next start.
TEST(Stop, WhileTheDiskIsFullLosesNothingAndIsASuccess) {
  Workplace place;
  place.write("password", "secret");
  Appliance appliance;
  appliance.sessions = 1'000;
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  open_admin_address(place);
  Child daemon = place.start_program(
      {"/bin/sh", "-c", "ulimit -f 512; exec \"$@\"", "sh", SESSIONLOGD, "run", "-c", place.config().string()});
  ASSERT_TRUE(eventually([&] { return daemon.err().find("cannot take events now") != std::string::npos; }))
      << daemon.err();
  EXPECT_TRUE(eventually([&] {
    return sum_of(samples_of(get_body(place, "/metrics")), "sessionlogd_oldest_uncommitted_seconds") > 1;
  })) << "it counts while nothing is committed";
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_THAT(daemon.err(), HasSubstr("read from their sources again at the next start"));
}

}  // namespace
}  // namespace sessionlogd::test
