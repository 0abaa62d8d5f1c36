// The admin address: what stands there, to whom it responds, and that it cannot get in the way.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <csignal>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/appliance.h"

namespace sessionlogd::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace asio = boost::asio;

class Admin : public testing::Test {
 protected:
  void SetUp() override {
    place_.write("password", "secret");
    place_.configure(appliance_.source("good", "file:" + (place_ / "password").string()));
    open_admin_address(place_);
  }

  Child start() {
    Child daemon = place_.start("run");
    EXPECT_TRUE(eventually([&] { return get(place_, "/readyz").starts_with("HTTP/1.1 200"); })) << daemon.err();
    return daemon;
  }

  Appliance appliance_;
  Workplace place_;
};

TEST_F(Admin, SaysThatItIsHealthyAndReady) {
  Child daemon = start();
  EXPECT_EQ(get_body(place_, "/healthz"), "{\"healthy\":true,\"reasons\":[]}\n");
  EXPECT_TRUE(eventually([&] { return get_body(place_, "/readyz") == "{\"ready\":true,\"reasons\":[]}\n"; }))
      << get_body(place_, "/readyz");
  struct stat file {};
  ASSERT_EQ(::stat((place_ / kAdminSocket).c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0600u);
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_NE(::stat((place_ / kAdminSocket).c_str(), &file), 0) << "it is taken away at the end";
}

TEST_F(Admin, TellsOfEverySourceUnderTheNamesThatOthersRelyOn) {
  Child daemon = start();
  std::string status;
  EXPECT_TRUE(eventually([&] {
    status = get_body(place_, "/status");
    return status.find("\"state\":\"ok\",\"error\":\"\",\"last_poll\":\"20") != std::string::npos;
  })) << status;
  for (const char* name : {"\"process\":{",
                           "\"version\":",
                           "\"started\":",
                           "\"config\":",
                           "\"config_loaded\":",
                           "\"memory_bytes\":",
                           "\"shards\":",
                           "\"sink\":{",
                           "\"type\":\"file\"",
                           "\"last_commit\":",
                           "\"queue_bytes\":",
                           "\"sources\":[{",
                           "\"name\":\"good\"",
                           "\"id\":\"good\"",
                           "\"dialect\":\"veeam-aws\"",
                           "\"url\":\"http://127.0.0.1:",
                           "\"last_listing\":\"20",
                           "\"sessions\":{\"waiting\":",
                           "\"open\":",
                           "\"settling\":",
                           "\"done\":",
                           "\"polls\":",
                           "\"entries\":",
                           "\"events\":",
                           "\"lag_seconds\":",
                           "\"lateness_seconds\":",
                           "\"sessions_failing\":0",
                           "\"clock_offset_seconds\":",
                           "\"response_seconds\":{\"p50\":0.",
                           "\"p95\":",
                           "\"waiting_until\":null",
                           "\"waiting_for\":\"\"",
                           "\"breaker_until\":null",
                           "\"token_expires\":\"20",
                           "\"certificate_expires\":null",
                           "\"verified\":{\"at\":null,\"of\":0,\"sessions\":0,\"late\":0,\"could_not\":0}"}) {
    EXPECT_THAT(status, HasSubstr(name));
  }
  EXPECT_THAT(status, Not(HasSubstr("secret")));
}

// The text value of the first member of that name.
std::string member(const std::string& json, const std::string& name) {
  const std::string key = "\"" + name + "\":\"";
  const std::size_t at = json.find(key);
  return at == std::string::npos ? "" : json.substr(at + key.size(), json.find('"', at + key.size()) - at - key.size());
}

TEST_F(Admin, ShowsTheConfigurationInForceAndWhenItWasLoaded) {
  place_.configure(appliance_.source("good", "file:" + (place_ / "password").string()), "log_level = \"debug\"\n");
  open_admin_address(place_);
  Child daemon = start();
  std::string status = get_body(place_, "/status");
  for (const char* shown :
       {"\"log_level\":\"debug\"", "\"memory\":\"512MiB\"", "\"state_keep\":\"30d\"", "\"verify\":\"1d\"",
        "\"metrics_per_source\":true", "\"waits_for_restart\":[]",
        "\"type\":\"file\",\"format\":\"ecs\",\"commit_interval\":\"50ms\"", "\"mode\":\"0640\"",
        "\"rotate\":{\"size\":\"256MiB\",\"every\":\"1d\",\"keep\":\"14\",\"compress\":\"zstd\"}",
        "\"username\":\"collector\",\"password\":\"file:/",
        "\"poll\":{\"freshness\":\"interval\",\"interval\":\"50ms\",\"max_interval\":\"200ms\"",
        "\"settle\":\"10m\",\"lookback\":\"all\"", "\"rate\":\"200/s\",\"changes\":\"emit\",\"retention\":\"90d\""}) {
    EXPECT_THAT(status, HasSubstr(shown));
  }
  const std::string loaded = member(status, "config_loaded");

  place_.edit_config("log_level = \"debug\"", "log_level = \"warn\"");
  place_.edit_config("interval = \"50ms\"", "interval = \"70ms\"");
  place_.edit_config("commit_interval = \"50ms\"", "commit_interval = \"60ms\"");
  EXPECT_EQ(place_.run("reload").status, 0);
  EXPECT_TRUE(eventually([&] { return member(status = get_body(place_, "/status"), "config_loaded") != loaded; }));
  EXPECT_EQ(member(status, "log_level"), "warn");
  EXPECT_EQ(member(status, "interval"), "70ms");
  EXPECT_EQ(member(status, "commit_interval"), "50ms") << "as it was started with";
  EXPECT_THAT(status, HasSubstr("\"waits_for_restart\":[\"sink.commit_interval\"]"));
  const Outcome table = place_.run("status");
  EXPECT_THAT(table.out, HasSubstr("\nRESTART NEEDED: the file says something else for sink.commit_interval, which"));

  place_.edit_config("commit_interval = \"60ms\"", "commit_interval = \"50ms\"");
  EXPECT_EQ(place_.run("reload").status, 0);
  EXPECT_TRUE(eventually([&] { return place_.run("status").out.find("RESTART NEEDED") == std::string::npos; }));
}

TEST_F(Admin, SaysOfASourceOnlyTheSettingsThatAreNotThoseOfTheFirst) {
  const std::string password = "file:" + (place_ / "password").string();
  const Appliance other;
  place_.configure(appliance_.source("first", password) + other.source("like-it", password) +
                   other.source("unlike", password) + "labels = { site = \"a\" }\npoll = { timeout = \"7s\" }\n");
  open_admin_address(place_);
  Child daemon = start();
  std::string status;
  const auto settings_of = [&](const std::string& name) {
    const std::size_t source = status.find("\"name\":\"" + name), at = status.find("\"settings\":", source);
    return source == status.npos ? "" : status.substr(at, status.find("}}", at) - at);
  };
  EXPECT_TRUE(eventually([&] {
    status = get_body(place_, "/status");
    return !settings_of("unlike").empty();
  }));
  EXPECT_THAT(settings_of("like-it"), AllOf(HasSubstr("\"password\":\"file:/"), Not(HasSubstr("poll"))));
  EXPECT_THAT(settings_of("unlike"), HasSubstr("\"labels\":{\"site\":\"a\"},\"poll\":{\"timeout\":\"7s\""));
  EXPECT_EQ(member(status.substr(status.find("\"source_settings\":{")), "timeout"), "30s");
}

TEST_F(Admin, SaysWhatIsWrongWithASource) {
  place_.write("password", "wrong\x1B[31m");
  Appliance refusing([](const Appliance::Request& request) -> std::optional<Appliance::Reply> {
    if (std::string(request.target()).find("token") == std::string::npos) return std::nullopt;
    return Appliance::Reply(
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 32\r\n\r\n"
        "{\"message\":\"no <b>\\u001b[31m you\"}");
  });
  place_.configure(refusing.source("bad", "file:" + (place_ / "password").string()));
  open_admin_address(place_);
  Child daemon = start();
  EXPECT_TRUE(eventually([&] { return get_body(place_, "/status").find("\"state\":\"parked\"") != std::string::npos; }))
      << get_body(place_, "/status") << daemon.err();
  const std::string status = get_body(place_, "/status");
  EXPECT_THAT(status, AllOf(HasSubstr("401"), HasSubstr("the next try is in 15 minutes"), Not(HasSubstr("\x1B"))));
  EXPECT_THAT(status, HasSubstr("\"last_poll\":\"\",\"last_listing\":\"\"")) << "there was none";
  Samples now = samples_of(get_body(place_, "/metrics"));
  EXPECT_EQ(now["sessionlogd_source_up{source=\"bad\"}"], 0);
  EXPECT_GT(now["sessionlogd_source_lag_seconds{source=\"bad\"}"], 0);
  EXPECT_FALSE(now.contains("sessionlogd_source_last_poll_timestamp_seconds{source=\"bad\"}"));
  const Outcome table = place_.run("status");
  EXPECT_EQ(table.status, 1);
  EXPECT_THAT(table.out,
              AllOf(HasSubstr("parked"), HasSubstr("the next try is in 15 minutes"), Not(HasSubstr("\x1B"))));
}

TEST_F(Admin, IsShownByTheStatusCommand) {
  Child daemon = start();
  EXPECT_TRUE(eventually([&] { return place_.run("status").out.find("1 sources: 1 ok") != std::string::npos; }));
  const Outcome table = place_.run("status"), json = place_.run("status", {"--json"});
  EXPECT_EQ(table.status, 0) << table.out;
  EXPECT_THAT(table.out, AllOf(HasSubstr("good "), HasSubstr("sink file:"), Not(HasSubstr("\x1B"))));
  EXPECT_EQ(json.status, 0);
  EXPECT_THAT(json.out, StartsWith("{\"process\":{"));
  daemon.signal(SIGTERM);
  daemon.wait();
  const Outcome nobody = place_.run("status");
  EXPECT_EQ(nobody.status, 3);
  EXPECT_THAT(nobody.err, HasSubstr("is it running"));
}

TEST_F(Admin, RespondsOnlyToWhatItShould) {
  Child daemon = start();
  const std::string host = "Host: localhost\r\nConnection: close\r\n\r\n";
  const std::pair<std::string, const char*> table[] = {
      {"POST / HTTP/1.1\r\n" + host, "HTTP/1.1 405"},
      {"HEAD /status HTTP/1.1\r\n" + host, "HTTP/1.1 405"},
      {"GET /nothing HTTP/1.1\r\n" + host, "HTTP/1.1 404"},
      {"GET /../status HTTP/1.1\r\n" + host, "HTTP/1.1 404"},
      {"GET http://localhost/status HTTP/1.1\r\n" + host, "HTTP/1.1 400"},
      {"GET /status HTTP/1.1\r\nContent-Length: 5\r\n" + host + "hello", "HTTP/1.1 413"},
      {"GET /status?a=b HTTP/1.1\r\n" + host, "HTTP/1.1 200"},
      {"GET /status HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n" + host, "HTTP/1.1 431"},
      {"\x16\x03\x01garbage\r\n\r\n", "HTTP/1.1 400"},
      {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /readyz HTTP/1.1\r\n" + host, "HTTP/1.1 200"},
  };
  for (const auto& [bytes, response] : table)
    EXPECT_THAT(ask(place_, bytes), StartsWith(response)) << bytes.substr(0, 60);
  EXPECT_THAT(ask(place_, std::get<0>(table[9])), AllOf(HasSubstr("healthy"), HasSubstr("ready"))) << "one by one";
  EXPECT_THAT(get(place_, "/status"),
              AllOf(HasSubstr("default-src 'none'"), HasSubstr("nosniff"), HasSubstr("Cache-Control: no-store")));
  EXPECT_TRUE(daemon.is_running());
}

// A page in a browser can make its own name mean 127.0.0.1; the name is in Host all the same.
TEST_F(Admin, OnAPortRespondsToLoopbackNamesOnly) {
  const HeldPort port;
  place_.edit_config(fmt::format("unix:{}", (place_ / kAdminSocket).string()),
                     fmt::format("127.0.0.1:{}", port.number()));
  const auto ask_for = [&](const std::string& host) {
    return ask_port(port.number(), "GET /healthz HTTP/1.1\r\nConnection: close\r\n" + host + "\r\n");
  };
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return !ask_for("Host: localhost\r\n").empty(); })) << daemon.err();
  for (const char* host : {"localhost", "LOCALHOST:9464", "127.0.0.1", "127.0.0.1:80", "[::1]:9464", "127.9.9.9"})
    EXPECT_THAT(ask_for(fmt::format("Host: {}\r\n", host)), StartsWith("HTTP/1.1 200")) << host;
  for (const char* host : {"evil.example", "10.0.0.1", "localhost.evil.example", "", "[::1].evil", "127.0.0.1.evil"})
    EXPECT_THAT(ask_for(fmt::format("Host: {}\r\n", host)), StartsWith("HTTP/1.1 403")) << host;
  EXPECT_THAT(ask_for(""), StartsWith("HTTP/1.1 403"));
}

TEST_F(Admin, InUseByAnotherIsSaidAndCollectingGoesOn) {
  asio::io_context io;
  asio::local::stream_protocol::acceptor other(io, (place_ / kAdminSocket).string());
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return daemon.err().find("collecting goes on without") != std::string::npos; }))
      << daemon.err();
  EXPECT_TRUE(eventually([&] { return appliance_.logs_read() > 2; })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  struct stat file {};
  EXPECT_EQ(::stat((place_ / kAdminSocket).c_str(), &file), 0) << "not ours to take away";
}

TEST_F(Admin, LeftByAKilledDaemonIsTakenOver) {
  Child killed = start();
  killed.signal(SIGKILL);
  killed.wait();
  Child daemon = start();
  EXPECT_TRUE(daemon.is_running());
}

TEST_F(Admin, RespondsAlthoughHundredsOfConnectionsAskNothing) {
  Child daemon = start();
  asio::io_context io;
  std::vector<asio::local::stream_protocol::socket> idle;
  for (int i = 0; i < 300; ++i) {
    boost::system::error_code ignored;
    idle.emplace_back(io).connect((place_ / kAdminSocket).string(), ignored);
    if (i % 3 == 0) idle.back().write_some(asio::buffer("GET /sta", 8), ignored);
  }
  EXPECT_THAT(get(place_, "/healthz"), StartsWith("HTTP/1.1 200"));
  const int before = appliance_.logs_read();
  EXPECT_TRUE(eventually([&] { return appliance_.logs_read() > before; }));
}

// Nobody listens at port 1.
TEST(AdminAddress, RespondsWhileTheSinkIsWaitedForAtTheStart) {
  Workplace place;
  place.write("password", "secret");
  const Appliance appliance;
  place.configure(appliance.source("a", "file:" + (place / "password").string()));
  place.edit_config("type = \"file\"\npath = \"" + place.output().string() + "\"",
                    "type = \"kafka\"\nbrokers = \"127.0.0.1:1\"\ntopic = \"t\"\ntransactional_id = \"t\"");
  open_admin_address(place);
  Child daemon = place.start("run");
  ASSERT_TRUE(eventually([&] { return get(place, "/readyz").find(" 503 ") != std::string::npos; })) << daemon.err();
  EXPECT_THAT(get_body(place, "/readyz"), testing::HasSubstr("cannot take events now"));
  EXPECT_THAT(get(place, "/healthz"), testing::HasSubstr(" 200 "));
  const std::string status = get_body(place, "/status");
  EXPECT_THAT(status, testing::HasSubstr("\"state\":\"waiting\""));
  EXPECT_THAT(status, testing::ContainsRegex("\"name\":\"a\",.*\"state\":\"starting\",\"error\":\"\""));
  const Samples samples = samples_of(get_body(place, "/metrics"));
  EXPECT_EQ(sum_of(samples, "sessionlogd_sink_waiting"), 1);
  EXPECT_EQ(sum_of(samples, "sessionlogd_sources", "starting"), 1);
  EXPECT_EQ(samples.count("sessionlogd_source_up{source=\"a\"}"), 0u) << "nobody has looked at it yet";
  ASSERT_TRUE(eventually([&] { return daemon.err().find("cannot start now: ") != std::string::npos; })) << daemon.err();
  const std::size_t reason = daemon.err().find("cannot start now: ") + 18;
  const std::string why = daemon.err().substr(reason, 20);
  const auto is_forgotten = [&] { return get_body(place, "/readyz").find(why) == std::string::npos; };
  EXPECT_TRUE(eventually([&] { return !is_forgotten(); }));
  EXPECT_FALSE(eventually(is_forgotten, std::chrono::seconds{3})) << "also while it is tried again";
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

}  // namespace
}  // namespace sessionlogd::test
