#include "daemon/service/service_notify.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/daemon/service/notify_socket.h"

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

// The environment that systemd gives, and no trace of it afterwards.
class ServiceNotifyTest : public testing::Test {
 protected:
  ServiceNotifyTest() { ::setenv("NOTIFY_SOCKET", path_.c_str(), 1); }
  ~ServiceNotifyTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }

  const std::string path_ = fmt::format("{}service_notify_test.{}", testing::TempDir(), ::getpid());
  NotifySocket systemd_{path_};
};

TEST_F(ServiceNotifyTest, AsksForTimeUntilItIsReadyAndFeedsTheWatchdogFromThenOn) {
  ServiceNotify service;
  service.alive();
  service.ready();
  service.ready();
  service.alive();
  service.stopping();
  EXPECT_THAT(systemd_.told(), ElementsAre("EXTEND_TIMEOUT_USEC=60000000", "READY=1", "WATCHDOG=1", "STOPPING=1"));
}

TEST_F(ServiceNotifyTest, TellsAStatusOnceAndInOneLine) {
  ServiceNotify service;
  service.status("one");
  service.status("one");
  service.status("two\nREADY=1");
  EXPECT_THAT(systemd_.told(), ElementsAre("STATUS=one", "STATUS=two READY=1"));
}

TEST_F(ServiceNotifyTest, StampsAReload) {
  ServiceNotify service;
  service.reloading();  // not ready yet, and not by this either
  service.reloaded();
  EXPECT_THAT(systemd_.told(), IsEmpty());
  service.ready();
  service.reloading();
  service.reloaded();
  EXPECT_THAT(systemd_.told(), ElementsAre("READY=1", "RELOADING=1", MatchesRegex("MONOTONIC_USEC=[0-9]+"), "READY=1"));
}

TEST_F(ServiceNotifyTest, KnowsWhetherItIsWatched) {
  EXPECT_EQ(ServiceNotify().watchdog(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(ServiceNotify().watchdog(), 3s);
  ::setenv("WATCHDOG_PID", "1", 1);  // another process is
  EXPECT_EQ(ServiceNotify().watchdog(), std::nullopt);
}

TEST_F(ServiceNotifyTest, TellsNobodyWithoutSystemd) {
  ::unsetenv("NOTIFY_SOCKET");
  ServiceNotify service;
  service.ready();
  service.alive();
  EXPECT_THAT(systemd_.told(), IsEmpty());
}

}  // namespace
}  // namespace sessionlogd::test
