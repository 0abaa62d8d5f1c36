// What systemd is told from the start to the end of the daemon.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/daemon/appliance.h"
#include "tests/daemon/service/notify_socket.h"
#include "tests/daemon/workplace.h"

namespace sessionlogd::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

class Service : public testing::Test {
 protected:
  Service() { place_.write("password", "secret"); }
  std::string password() const { return "file:" + (place_ / "password").string(); }

  long position(const std::string& assignment) {
    const auto& told = systemd_.told();
    return std::ranges::find(told, assignment) - told.begin();
  }

  Workplace place_;
  NotifySocket systemd_{(place_ / "notify").string()};
};

TEST_F(Service, IsReadyFedAndStoppedInThisOrder) {
  Appliance appliance;
  place_.configure(appliance.source("a", password()));
  Child daemon = place_.start("run", {}, {systemd_.variable()});
  EXPECT_TRUE(eventually([&] { return systemd_.was_told("STATUS=1 sources, 1 sessions, "); })) << daemon.err();
  EXPECT_TRUE(eventually([&] { return systemd_.was_told("WATCHDOG=1"); }));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_LT(position("EXTEND_TIMEOUT_USEC=60000000"), position("READY=1"));
  EXPECT_LT(position("READY=1"), position("WATCHDOG=1"));
  EXPECT_LT(position("WATCHDOG=1"), position("STOPPING=1"));
  EXPECT_THAT(systemd_.told(), Contains("STOPPING=1"));
}

TEST_F(Service, SaysWhenItReloads) {
  Appliance appliance;
  place_.configure(appliance.source("a", password()));
  Child daemon = place_.start("run", {}, {systemd_.variable()});
  EXPECT_TRUE(eventually([&] { return systemd_.was_told("STATUS=1 sources, "); })) << daemon.err();
  place_.configure(appliance.source("a", password()) + appliance.source("b", password()));
  daemon.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return systemd_.was_told("STATUS=2 sources, "); })) << daemon.err();
  EXPECT_TRUE(eventually([&] { return std::ranges::count(systemd_.told(), "READY=1") == 2; }));
  EXPECT_TRUE(systemd_.was_told("RELOADING=1"));
  EXPECT_TRUE(systemd_.was_told("MONOTONIC_USEC="));
}

TEST_F(Service, IsReadyAlthoughItsBrokerIsNotThere) {
  Appliance appliance;
  place_.write("sessionlogd.toml",
               fmt::format("[daemon]\nstate_dir = \"{}/state\"\nadmin = \"\"\n[sink]\ntype = \"kafka\"\nbrokers = "
                           "\"127.0.0.1:1\"\ntopic = \"t\"\ntransactional_id = \"t\"\n{}",
                           place_.directory().string(), appliance.source("a", password())));
  Child daemon = place_.start("run", {}, {systemd_.variable()});
  EXPECT_TRUE(eventually([&] { return systemd_.was_told("STATUS=waiting for sink=kafka:t"); })) << daemon.err();
  EXPECT_TRUE(eventually([&] { return systemd_.was_told("READY=1"); })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

TEST_F(Service, IsNeverReadyWithAWrongConfiguration) {
  place_.configure("[[source]]\nname = \"a\"\n");
  EXPECT_EQ(place_.run("run", {}, {systemd_.variable()}).status, 78);
  EXPECT_FALSE(systemd_.was_told("READY=1"));
}

}  // namespace
}  // namespace sessionlogd::test
