// State and output: whose they are, and that they belong together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/daemon/appliance.h"
#include "tests/daemon/workplace.h"

namespace sessionlogd::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class State : public testing::Test {
 protected:
  void SetUp() override {
    place_.write("password", "secret");
    place_.configure(appliance_.source("a", "file:" + (place_ / "password").string()));
  }

  // A daemon that has written something.
  Child start_and_write() {
    Child daemon = place_.start("run");
    EXPECT_TRUE(eventually([&] { return !place_.lines().empty(); })) << daemon.err();
    return daemon;
  }

  Workplace place_;
  Appliance appliance_;
};

TEST_F(State, ASecondDaemonIsToldWhoHoldsIt) {
  Child first = start_and_write();
  const Outcome second = place_.run("run");
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, AllOf(HasSubstr("is in use by"), HasSubstr(std::to_string(first.pid()))));
  EXPECT_TRUE(first.is_running());
}

TEST_F(State, OutputWithoutStateIsNeverGuessedAbout) {
  {
    Child daemon = start_and_write();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0);
  }
  const std::string written = read_text(place_.output());
  fs::remove_all(place_ / "state");
  const Outcome again = place_.run("run");
  EXPECT_EQ(again.status, 78);
  EXPECT_THAT(again.err, HasSubstr(place_.output().string()));
  EXPECT_EQ(read_text(place_.output()), written);
}

TEST_F(State, AnOutputDirectoryThatIsNotThereIsSaid) {
  place_.edit_config(place_.output().string(), (place_ / "none/events.ndjson").string());
  const Outcome outcome = place_.run("run");
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr((place_ / "none").string()));
}

// A limit on the size of files stands for a full disk: the signal that comes with it must not end the daemon.
TEST_F(State, AFileSizeLimitIsWaitedForNotDiedOf) {
  appliance_.sessions = 1'000;
  Child daemon = place_.start_program(
      {"/bin/sh", "-c", "ulimit -f 512; exec \"$@\"", "sh", SESSIONLOGD, "run", "-c", place_.config().string()});
  EXPECT_TRUE(eventually(
      [&] { return daemon.err().find("cannot take events now") != std::string::npos || !daemon.is_running(); }));
  EXPECT_TRUE(daemon.is_running()) << daemon.err();
}

TEST_F(State, AnOutputThatIsRenamedOrRemovedIsNoticedAndBegunAgain) {
  appliance_.sessions = 1;
  Child daemon = start_and_write();
  fs::rename(place_.output(), place_ / "events.1");
  daemon.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return fs::exists(place_.output()); })) << daemon.err();
  fs::remove(place_.output());
  appliance_.sessions = 2;  // something new to write
  EXPECT_TRUE(eventually([&] { return !place_.lines().empty(); })) << daemon.err();
  EXPECT_THAT(daemon.err(), AllOf(HasSubstr("was renamed"), HasSubstr("was removed")));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
}

}  // namespace
}  // namespace sessionlogd::test
