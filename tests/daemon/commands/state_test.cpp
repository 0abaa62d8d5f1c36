// State and output: whose they are, and that they belong together.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>

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

TEST_F(State, ASecondMemberOfAGroupOnThisHostIsToldWhoHoldsIt) {
  const std::string file = fmt::format("type = \"file\"\npath = \"{}\"", place_.output().string());
  place_.edit_config(file, "type = \"kafka\"\nbrokers = \"127.0.0.1:1\"\ntopic = \"t\"\ngroup = \"g\"");
  Child first = place_.start("run");
  ASSERT_TRUE(eventually([&] { return first.err().find("cannot start now") != std::string::npos; })) << first.err();
  const Outcome second = place_.run("run");
  EXPECT_EQ(second.status, 1);
  EXPECT_THAT(second.err, AllOf(HasSubstr("state directory " + (place_ / "state").string() + " is in use by process " +
                                          std::to_string(first.pid())),
                                HasSubstr("members on one host need a state_dir and an admin address each")));
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

TEST_F(State, IsShownWhileTheDaemonRuns) {
  Child daemon = start_and_write();
  // Lines come before the state that knows of them.
  Outcome one;
  EXPECT_TRUE(eventually([&] {
    one = place_.run_arguments({"state", "show", "-c", place_.config().string(), "a"});
    return one.out.find("latest log time") != std::string::npos;
  })) << one.out
      << one.err;
  EXPECT_EQ(one.status, 0) << one.err;
  const Outcome all = place_.run_arguments({"state", "show", "-c", place_.config().string()});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_THAT(all.out, AllOf(HasSubstr("(file 1)"), HasSubstr("\na  ")));
  const Outcome none = place_.run_arguments({"state", "show", "-c", place_.config().string(), "b"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("knows no source b"));
  const Outcome session = place_.run_arguments({"state", "show", "-c", place_.config().string(), "a", "none"});
  EXPECT_EQ(session.status, 1);
  EXPECT_TRUE(daemon.is_running());
  for (const char* change : {"rebuild", "init"}) {
    const Outcome refused = place_.run_arguments({"state", change, "-c", place_.config().string()});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("is in use by"));
  }
}

TEST_F(State, ThatWasLostIsRebuiltAndNothingIsWrittenTwice) {
  {
    Child daemon = start_and_write();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0);
  }
  fs::remove_all(place_ / "state");
  const std::size_t before = place_.lines().size();
  const Outcome rebuilt = place_.run_arguments({"state", "rebuild", "-c", place_.config().string()});
  EXPECT_EQ(rebuilt.status, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr(std::to_string(before) + " events"));
  const Outcome pass = place_.run("collect");
  EXPECT_EQ(pass.status, 0) << pass.err;
  const std::vector<std::string> lines = place_.lines();
  std::set<std::string> ids;
  for (const std::string& line : lines) ids.insert(line.substr(line.find("\"event\":{\"id\":\""), 64));
  EXPECT_EQ(ids.size(), lines.size());
}

TEST_F(State, ThatIsForgottenOnPurposeDeliversAgain) {
  EXPECT_EQ(place_.run("collect").status, 0);
  const std::size_t once = place_.lines().size();
  ASSERT_GT(once, 0u);
  EXPECT_EQ(place_.run("collect").status, 0);
  EXPECT_EQ(place_.lines().size(), once);
  const Outcome forgotten = place_.run_arguments({"state", "init", "-c", place_.config().string()});
  EXPECT_EQ(forgotten.status, 0) << forgotten.err;
  EXPECT_THAT(forgotten.out, HasSubstr("kept as"));
  EXPECT_EQ(place_.run("collect").status, 0);
  EXPECT_EQ(place_.lines().size(), 2 * once);
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
