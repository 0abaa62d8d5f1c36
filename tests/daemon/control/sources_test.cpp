// What becomes of a source depends on that source alone, and the operator learns what is wrong with it, once.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <filesystem>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/appliance.h"
#include "tests/daemon/simulated_fleet.h"
#include "tests/support/test_proxy.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using Reply = TestServer::Reply;

class Sources : public testing::Test {
 protected:
  void SetUp() override { place_.write("password", "secret"); }

  std::string password() const { return "file:" + (place_ / "password").string(); }

  // How many lines of the daemon's log hold it.
  static int said(const Child& daemon, const std::string& what) {
    int count = 0;
    for (const std::string& line : Workplace::lines_of(daemon.err())) count += line.find(what) != line.npos;
    return count;
  }

  Workplace place_;
};

TEST_F(Sources, GoThroughTheirOwnProxyAndNeverThroughTheEnvironments) {
  const Appliance direct, behind;
  const TestProxy proxy;
  place_.configure(direct.source("direct", password()) + behind.source("behind", password()) +
                   fmt::format("proxy = \"{}\"\n", proxy.url()));
  std::vector<std::string> environment;
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"})
    environment.push_back(fmt::format("{}=http://127.0.0.1:1", name));
  Child daemon = place_.start("run", {}, environment);
  EXPECT_TRUE(eventually([&] { return direct.logs_read() > 0 && behind.logs_read() > 0; })) << daemon.err();
  ASSERT_FALSE(proxy.heads().empty());
  for (const std::string& head : proxy.heads()) EXPECT_THAT(head, HasSubstr(behind.address()));
}

// With a name server that does not answer each look-up takes as long as the test likes; one shard for all.
TEST_F(Sources, NamesThatAreNotFoundOrTakeLongDelayNobody) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer must come first among what is preloaded";
#endif
  const Appliance good;
  std::string sources;
  for (const char* host : {"slow.a.invalid", "slow.b.invalid", "none.invalid"}) {
    sources += fmt::format(
        "\n[[source]]\nname = \"{}\"\ndialect = \"veeam-aws\"\nurl = \"https://{}:11005\"\nusername = \"c\"\npassword "
        "= "
        "\"{}\"\n",
        host, host, password());
  }
  place_.configure(sources + good.source("good", password()), "threads = 1\n");
  Child daemon = place_.start("run", {},
                              {std::string("LD_PRELOAD=") + SLOW_RESOLVER,
                               fmt::format("SLOW_RESOLVER_UNTIL={}", (place_ / "enough").string())});
  EXPECT_TRUE(eventually([&] { return said(daemon, "source=good first contact") == 1; })) << daemon.err();
  EXPECT_TRUE(eventually([&] { return good.logs_read() > 5; })) << daemon.err();
  EXPECT_EQ(said(daemon, "source=slow"), 0) << "before the first look-up has ended";
  place_.write("enough", "");
  EXPECT_TRUE(eventually([&] { return said(daemon, "slow.a.invalid:11005: the name cannot be resolved") == 1; }))
      << daemon.err();
}

// Each look-up is a thread, which goes on when nobody waits for it any more.
TEST_F(Sources, NamesThatNobodyAnswersForTakeABoundedNumberOfThreads) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer must come first among what is preloaded";
#endif
  const Appliance good;
  std::string sources;
  for (int i = 0; i < 300; ++i) {
    sources += fmt::format(
        "\n[[source]]\nname = \"slow-{0}\"\ndialect = \"veeam-aws\"\nurl = \"http://slow.{0}.invalid:11005\"\n"
        "username = \"c\"\npassword = \"{1}\"\n",
        i, password());
  }
  place_.configure(sources + good.source("good", password()), "threads = 1\n");
  Child daemon = place_.start("run", {},
                              {std::string("LD_PRELOAD=") + SLOW_RESOLVER,
                               fmt::format("SLOW_RESOLVER_UNTIL={}", (place_ / "enough").string())});
  EXPECT_TRUE(eventually([&] { return said(daemon, "wait for the name server to answer: is it our resolver?") > 0; }))
      << daemon.err();
  EXPECT_TRUE(eventually([&] { return good.logs_read() > 5; })) << daemon.err();
  const auto tasks = std::filesystem::directory_iterator(fmt::format("/proc/{}/task", daemon.pid()));
  const auto threads = std::distance(begin(tasks), end(tasks));
  EXPECT_GT(threads, 90) << "or nothing was tried";
  EXPECT_LT(threads, 160);
  place_.write("enough", "");
}

// A session that was over long ago is read once: by a document of a service that is still starting it must not end.
TEST_F(Sources, JsonThatIsNoLogIsAskedForAgainAndKeptForALook) {
  std::atomic<bool> starting = true;
  const Appliance appliance([&](const Appliance::Request& request) -> std::optional<Reply> {
    const std::string_view target = request.target();
    if (target.find("token") != target.npos) return std::nullopt;
    if (target.find("/log") != target.npos && starting)
      return response(R"({"type":"about:blank","title":"The service is starting","status":503})");
    if (target.find("/log") != target.npos) return std::nullopt;
    return response(fmt::format(
        R"({{"results":[{{"id":"s","type":"Policy","status":"Succeeded","executionStartTime":"{0}T00:00:00","executionStopTime":"{0}T00:01:00"}}],"totalCount":1}})",
        yesterday()));
  });
  place_.configure(appliance.source("a", password()));
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return said(daemon, "responded with something else where its log was expected") == 1; }))
      << daemon.err();
  EXPECT_FALSE(std::filesystem::is_empty(place_ / "state/quarantine"));
  EXPECT_THAT(place_.lines(), testing::IsEmpty());
  starting = false;
  EXPECT_TRUE(eventually([&] { return place_.lines().size() == 1; })) << daemon.err();
}

TEST_F(Sources, ACertificateThatIsNotTrustedIsSaidOnceWithThePinToSet) {
  SimulatedFleet fleet(place_,
                       {"--tls", "--appliances", "1", "--dialect", "aws", "--poll", "discovery_interval=100ms"});
  const std::string trust =
      fmt::format("tls = {{ ca_file = \"{}/ca.pem\", server_name = \"localhost\" }}", place_.directory().string());
  place_.edit_config(trust, "");
  std::string pin;
  {
    Child daemon = place_.start("run");
    EXPECT_TRUE(eventually([&] { return said(daemon, "cannot be listed") > 0; })) << daemon.err();
    EXPECT_THAT(daemon.err(), AllOf(HasSubstr("not trusted"), ContainsRegex("set ca_file, or pin_sha256 = ")));
    EXPECT_EQ(said(daemon, "not trusted"), 1) << daemon.err();
    const std::string text = daemon.err();
    const std::size_t at = text.find("pin_sha256 = [");
    ASSERT_NE(at, text.npos);
    pin = text.substr(at, text.find(']', at) + 1 - at);
    EXPECT_FALSE(daemon.err().empty());
  }
  place_.edit_config("password\"\n", "password\"\ntls = { " + pin + " }\n");
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return said(daemon, "first contact") == 1; })) << daemon.err();
}

TEST_F(Sources, ASourceThatFailsWhateverItIsAskedIsSaidOnceAndOthersGoOn) {
  std::atomic<bool> broken = false;
  std::atomic<int> asked = 0;
  Appliance bad([&](const Appliance::Request&) -> std::optional<Reply> {
    if (!broken) return std::nullopt;
    ++asked;
    return Reply(response("", {}, "502 Bad Gateway"));
  });
  bad.sessions = 20;
  const Appliance good;
  place_.configure(bad.source("bad", password()) + good.source("good", password()));
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return bad.logs_read() > 20 && said(daemon, "source=bad first contact") == 1; }))
      << daemon.err();
  broken = true;
  ASSERT_TRUE(eventually([&] { return said(daemon, "source=bad fails whatever it is asked: HTTP 502") == 1; }));
  // What was in flight may be counted a moment later; then nothing comes while the other is read ten times.
  int before = 0;
  EXPECT_TRUE(eventually([&] {
    before = asked;
    const int read = good.logs_read();
    return eventually([&] { return good.logs_read() > read + 10; }) && asked == before;
  }));
  EXPECT_LE(before, 3 + 4 + 6) << "three that fail, what was in flight, and the probes until they are 30 s apart";
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_EQ(asked, before) << "a logout is a request like any other";
  EXPECT_EQ(said(daemon, "source=bad"), 2) << "first contact, and what is wrong: " << daemon.err();
}

TEST_F(Sources, AnEndWithinARetryAfterSendsNothing) {
  std::atomic<bool> busy = false;
  std::atomic<int> asked = 0;
  const Appliance appliance([&](const Appliance::Request&) -> std::optional<Reply> {
    if (!busy) return std::nullopt;
    ++asked;
    return Reply(response("", {"Retry-After: 600"}, "503 Service Unavailable"));
  });
  place_.configure(appliance.source("a", password()), "", "connections = 1");
  open_admin_address(place_);
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return appliance.logs_read() > 0; })) << daemon.err();
  busy = true;
  // Not only answered, but read.
  ASSERT_TRUE(eventually([&] { return get_body(place_, "/metrics").find("code=\"503\"") != std::string::npos; }));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(appliance.returned().empty());
}

}  // namespace
}  // namespace sessionlogd::test
