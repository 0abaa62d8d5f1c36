// What the daemon says of itself.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/daemon/appliance.h"
#include "tests/daemon/workplace.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Reply = TestServer::Reply;

class Log : public testing::Test {
 protected:
  void configure(const Appliance& appliance, const std::string& daemon_keys = "") {
    place_.write("password", "canary-password");
    place_.configure(appliance.source("a", "file:" + (place_ / "password").string()), daemon_keys);
  }

  Workplace place_;
};

// The journal itself, with its fields, is looked at in tests/systemd.
TEST_F(Log, HasPrioritiesWhenStderrIsAJournalThatTakesNoFields) {
  if (::access("/run/systemd/journal/socket", W_OK) == 0) GTEST_SKIP() << "this machine's journal takes fields";
  const Appliance appliance;
  configure(appliance);
  place_.write("journal", "");
  struct stat journal {};
  ASSERT_EQ(::stat((place_ / "journal").c_str(), &journal), 0);
  const std::string stream = fmt::format("JOURNAL_STREAM={}:{}", journal.st_dev, journal.st_ino);
  Child daemon({SESSIONLOGD, "collect", "-c", place_.config().string()}, {place_ / "out", place_ / "journal"},
               {stream});
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  const auto lines = Workplace::lines_of(daemon.err());
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines, testing::Contains(AllOf(StartsWith("<6>"), HasSubstr("started"))));

  // Any other stream is read by people.
  const Outcome outcome = place_.run("collect", {}, {stream});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("started"), Not(HasSubstr("<6>"))));
}

TEST_F(Log, SaysThatAnAccountNeedsASecondFactor) {
  const Appliance appliance([](const Appliance::Request& request) -> std::optional<Reply> {
    if (request.target() != "/api/v1/token") return std::nullopt;
    return response(R"({"mfa_token":"canary-mfa","mfa_enabled":true})", {}, "202 Accepted");
  });
  configure(appliance, "log_level = \"trace\"\n");
  const Outcome outcome = place_.run("collect");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("use a service account without multi-factor authentication"), Not(HasSubstr("canary"))));
}

// The next login is half a minute away: who waits for what the third says has left by then.
TEST_F(Log, SaysAtOnceThatAUrlIsNoAppliances) {
  const Appliance appliance(
      [](const Appliance::Request&) { return response("<!DOCTYPE html><title>Printer</title>"); });
  configure(appliance);
  Child daemon = place_.start("run");
  EXPECT_TRUE(
      eventually([&] { return daemon.err().find("cannot be listed") != std::string::npos; }, std::chrono::seconds{25}));
  EXPECT_THAT(daemon.err(), HasSubstr("source=a cannot be listed: token request: HTTP 200: not the JSON object of a "
                                      "token: wrong url?"));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

}  // namespace
}  // namespace sessionlogd::test
