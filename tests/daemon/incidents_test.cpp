// What an operator has when things go wrong that go wrong: how the source is, one line with what it is and what to do,
// a metric, and an alert whose condition it meets. What is of Kafka stands in tests/kafka (withdrawn ACLs), what needs
// hours in tests/core/polling/finding_health_test.cpp.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <regex>
#include <set>

#include "tests/daemon/admin/admin.h"
#include "tests/daemon/appliance.h"

namespace sessionlogd::test {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using Request = Appliance::Request;
using Reply = Appliance::Reply;
using Instead = std::optional<Reply>;

bool is_token(const Request& request) { return request.target().find("token") != std::string_view::npos; }
bool is_log(const Request& request) { return request.target().find("/log") != std::string_view::npos; }

// The condition of an alert, as it stands in the rules.
std::string condition_of(const std::string& alert) {
  static const std::string rules = read_text(SYSTEMD_FOLDER "/prometheus/alerts.yaml");
  const std::size_t at = rules.find("alert: " + alert + "\n");
  const std::size_t begin = rules.find("expr: ", at);
  return at == std::string::npos ? "" : rules.substr(begin + 6, rules.find('\n', begin) - begin - 6);
}

// Whether that is met by some sample: NAME == 0, NAME > 300, abs(NAME) > 60, NAME - time() < 86400 * 14.
bool is_met(const std::string& condition, const Samples& samples) {
  std::smatch part;
  static const std::regex form(R"((abs\()?(\w+)\)?( - time\(\))? (==|>|<) (\d+)(?: \* (\d+))?( or .*)?)");
  if (!std::regex_match(condition, part, form)) return false;
  const double bound = std::stod(part[5]) * (part[6].matched ? std::stod(part[6]) : 1);
  for (const auto& [name, sample] : samples) {
    if (name != part[2] && !name.starts_with(part[2].str() + "{")) continue;
    double value = part[1].matched ? std::abs(sample) : sample;
    if (part[3].matched) value -= static_cast<double>(std::time(nullptr));
    if (part[4] == "==" ? value == bound : part[4] == ">" ? value > bound : value < bound) return true;
  }
  return false;
}

class Incidents : public testing::Test {
 protected:
  void SetUp() override { place_.write("password", "secret"); }
  std::string password() const { return "file:" + (place_ / "password").string(); }

  void configure(const std::string& sources) const {
    place_.configure(sources, "", "timeout = \"1s\"");
    open_admin_address(place_);
  }

  bool meets(const std::string& alert) const {
    return is_met(condition_of(alert), samples_of(get_body(place_, "/metrics")));
  }
  bool is_ready() const { return get(place_, "/readyz").starts_with("HTTP/1.1 200"); }

  static int lines_with(const std::string& text, const std::string& part) {
    int count = 0;
    for (const std::string& line : Workplace::lines_of(text)) count += line.find(part) != line.npos;
    return count;
  }

  Workplace place_;
};

struct Incident {
  const char* name;
  // What happens to a request, once it has begun.
  Instead (*happens)(const Request&);
  bool from_the_start;
  const char* state;  // a regular expression
  const char *cause, *remedy;
  const char* alert;
  const char* poll = "";
  const char* in_table = "";  // where the line says it in other words
};

void PrintTo(const Incident& incident, std::ostream* out) { *out << incident.name; }

class AnIncident : public Incidents, public testing::WithParamInterface<Incident> {};

TEST_P(AnIncident, IsSeenWithItsCauseAndItsRemedy) {
  const Incident& incident = GetParam();
  std::atomic<bool> begun = incident.from_the_start;
  Appliance appliance([&](const Request& request) { return begun ? incident.happens(request) : Instead(); });
  appliance.sessions = 5;
  const Appliance good;
  configure(appliance.source("bad", password()) + "poll = { " + incident.poll + " }\n" +
            good.source("good", password()));
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return good.logs_read() > 0 && (begun || appliance.logs_read() > 5); })) << daemon.err();
  begun = true;

  std::string table;
  const std::string in_table = *incident.in_table != '\0' ? incident.in_table : incident.cause;
  const auto is_seen = [&] {
    table = place_.run("status").out;
    return std::regex_search(table, std::regex(fmt::format("bad +({}) .*{}", incident.state, in_table))) &&
           meets(incident.alert) && daemon.err().find(incident.cause) != std::string::npos;
  };
  EXPECT_TRUE(eventually(is_seen)) << table << daemon.err() << get_body(place_, "/metrics");
  EXPECT_THAT(table, ContainsRegex("good +ok ")) << "the others go on";
  int said = 0;
  for (const std::string& line : Workplace::lines_of(daemon.err())) {
    if (line.find("source=bad") == line.npos || line.find(incident.cause) == line.npos) continue;
    EXPECT_THAT(line, HasSubstr(incident.remedy));
    ++said;
  }
  EXPECT_EQ(said, 1) << daemon.err();
  EXPECT_TRUE(is_ready()) << "the daemon itself is well";
}

INSTANTIATE_TEST_SUITE_P(
    Of, AnIncident,
    testing::Values(Incident{"AWrongPassword",
                             [](const Request& request) -> Instead {
                               if (!is_token(request)) return std::nullopt;
                               return Reply(response(R"({"message":"Bad credentials"})", {}, "401 Unauthorized"));
                             },
                             true, "parked", "the credentials were refused: Bad credentials",
                             "or when the secret changes", "SessionlogdSourceDown"},
                    Incident{"ALoginThatFails",
                             [](const Request& request) -> Instead {
                               if (!is_token(request)) return std::nullopt;
                               return Reply(
                                   response(R"({"message":"Database is read-only"})", {}, "503 Service Unavailable"));
                             },
                             true, "backing_off", "token request: HTTP 503: Database is read-only",
                             "look at the appliance's own log", "SessionlogdSourceDown"},
                    Incident{"ALoginThatHangs",
                             [](const Request& request) -> Instead {
                               if (!is_token(request)) return std::nullopt;
                               return Reply("", Reply::Then::kSilence);
                             },
                             true, "backing_off", "timed out", "is the appliance overloaded", "SessionlogdSourceDown"},
                    Incident{"AListingThatIsRefused",
                             [](const Request& request) -> Instead {
                               if (is_token(request) || is_log(request)) return std::nullopt;
                               return Reply(response(R"({"message":"missing role"})", {}, "403 Forbidden"));
                             },
                             true, "backing_off", "missing role", "give the account the right to read session logs",
                             "SessionlogdSourceDown"},
                    Incident{"ARefusedVersion",
                             [](const Request& request) -> Instead {
                               if (is_token(request)) return std::nullopt;
                               return Reply(response(R"({"message":"version not supported, use 1.8-rev0"})", {},
                                                     "400 Bad Request"));
                             },
                             true, "backing_off", "version not supported, use 1.8-rev0", "wrong api_version?",
                             "SessionlogdSourceDown"},
                    Incident{"LostRights",
                             [](const Request& request) -> Instead {
                               if (!is_log(request)) return std::nullopt;
                               return Reply(response(R"({"message":"missing role"})", {}, "403 Forbidden"));
                             },
                             false, "backing_off", "missing role", "give the account the right to read session logs",
                             "SessionlogdSourceDown"},
                    // With three at a time the breaker opens, and says so.
                    Incident{"ASlowAppliance",
                             [](const Request& request) -> Instead {
                               if (!is_log(request)) return std::nullopt;
                               return Reply("", Reply::Then::kSilence);
                             },
                             false, "backing_off", "timed out", "is the appliance overloaded", "SessionlogdSourceDown",
                             "connections = 2"},
                    Incident{"ALongRetryAfter",
                             [](const Request& request) -> Instead {
                               if (!is_log(request)) return std::nullopt;
                               return Reply(response("quota used up", {"Retry-After: 3600"}, "429 Too Many Requests"));
                             },
                             false, "ok|backing_off", "left alone (Retry-After): HTTP 429: quota used up",
                             "lower `rate`", "SessionlogdSourceNotAsked", "", "not asked before 20.* .retry_after."},
                    Incident{"AMaintenance",
                             [](const Request& request) -> Instead {
                               if (is_token(request)) return std::nullopt;
                               return Reply(response("maintenance", {"Retry-After: 3600"}, "503 Service Unavailable"));
                             },
                             // The breaker opens where three requests were on their way when it began.
                             false, "ok|backing_off|open_breaker", "left alone (Retry-After): HTTP 503: maintenance",
                             "look at the appliance's own log", "SessionlogdSourceNotAsked", "",
                             "not asked before 20.* .retry_after."},
                    // Nothing of it can be kept for a look.
                    Incident{"AnEmptyLog",
                             [](const Request& request) -> Instead {
                               if (!is_log(request)) return std::nullopt;
                               return Reply(response(""));
                             },
                             false, "backing_off", "the response to the log request is empty",
                             "look at the appliance, and at what stands between", "SessionlogdSourceDown"}),
    [](const testing::TestParamInfo<Incident>& incident) { return incident.param.name; });

TEST_F(Incidents, AClockThatIsAnHourOffIsSaidAndNothingElseComesOfIt) {
  const Appliance appliance([](const Request& request) -> Instead {
    if (is_token(request) || is_log(request)) return std::nullopt;
    const std::time_t at = std::time(nullptr) - 3'600;
    char date[64] = {};
    std::strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT", std::gmtime(&at));
    return Reply(response(R"({"results":[],"totalCount":0})", {date}));
  });
  configure(appliance.source("bad", password()));
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return meets("SessionlogdClockWrong"); })) << daemon.err();
  EXPECT_EQ(lines_with(daemon.err(), "behind ours: set one of them right"), 1) << daemon.err();
  EXPECT_TRUE(eventually([&] { return place_.run("status").out.find("1 sources: 1 ok") != std::string::npos; }));
}

TEST_F(Incidents, ACertificateThatHasEndedIsToBeRenewed) {
  const TestServer::Tls tls{Certificate("IP:127.0.0.1", std::chrono::seconds{-60}), ""};
  const TestServer server([](const Request&) { return Reply(response("{}")); }, tls);
  place_.write("ca.pem", tls.certificate.certificate_pem);
  configure(
      fmt::format("\n[[source]]\nname = \"bad\"\ndialect = \"veeam-aws\"\nurl = \"{}\"\nusername = \"c\"\n"
                  "password = \"{}\"\ntls = {{ ca_file = \"{}\" }}\n",
                  server.url(), password(), (place_ / "ca.pem").string()));
  Child daemon = place_.start("run");
  std::string table;
  EXPECT_TRUE(eventually([&] {
    table = place_.run("status").out;
    return std::regex_search(table, std::regex("bad +(backing_off|open_breaker) .*renew it on the appliance")) &&
           meets("SessionlogdSourceDown") && meets("SessionlogdCertificateExpires");
  })) << table
      << daemon.err() << get_body(place_, "/metrics");
  EXPECT_TRUE(eventually([&] { return lines_with(daemon.err(), "renew it on the appliance") == 1; })) << daemon.err();
}

// A limit on the size of files stands for a full disk.
TEST_F(Incidents, AFullDiskIsWaitedFor) {
  Appliance appliance;
  configure(appliance.source("a", password()));
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return !place_.lines().empty() && is_ready(); })) << daemon.err();
  const rlimit full{64 << 10, RLIM_INFINITY};
  ASSERT_EQ(prlimit(daemon.pid(), RLIMIT_FSIZE, &full, nullptr), 0);
  appliance.sessions = 200;
  EXPECT_TRUE(eventually([&] { return meets("SessionlogdSinkNotCommitting") && !is_ready(); })) << daemon.err();
  EXPECT_EQ(lines_with(daemon.err(), "cannot take events now"), 1) << daemon.err();
  EXPECT_THAT(get_body(place_, "/readyz"), HasSubstr("cannot take events now"));
  const rlimit room{RLIM_INFINITY, RLIM_INFINITY};
  ASSERT_EQ(prlimit(daemon.pid(), RLIMIT_FSIZE, &room, nullptr), 0);
  EXPECT_TRUE(eventually([&] { return place_.lines().size() == 200 && is_ready(); })) << daemon.err();
}

TEST_F(Incidents, AStateDirectoryThatIsGoneEndsTheDaemonWithTheWayBack) {
  const Appliance appliance;
  configure(appliance.source("a", password()) + "poll = { discovery_interval = \"1h\", sweep_interval = \"240h\" }\n");
  {
    Child daemon = place_.start("run");
    ASSERT_TRUE(eventually([&] { return !place_.lines().empty() && is_ready(); })) << daemon.err();
    EXPECT_TRUE(eventually([&] { return appliance.logs_read() > 1; }));
    fs::rename(place_ / "state", place_ / "away");
    EXPECT_EQ(daemon.wait(), 1) << "noticed although nothing is committed any more";
    EXPECT_EQ(lines_with(daemon.err(), "was removed or replaced while it was in use"), 1) << daemon.err();
    EXPECT_THAT(daemon.err(), HasSubstr("sessionlogd state rebuild"));
    EXPECT_FALSE(is_ready());
    EXPECT_EQ(place_.run("status").status, 3) << "what SessionlogdUnreachable looks at does not respond";
  }
  const Outcome without = place_.run("run");
  EXPECT_EQ(without.status, 78);
  EXPECT_THAT(without.err, HasSubstr("state rebuild"));
  fs::remove_all(place_ / "state");
  fs::rename(place_ / "away", place_ / "state");
  Child daemon = place_.start("run");
  const int read = appliance.logs_read();
  EXPECT_TRUE(eventually([&] { return appliance.logs_read() > read + 1 && is_ready(); })) << daemon.err();
  EXPECT_EQ(place_.lines().size(), 1u) << "nothing again";
}

TEST_F(Incidents, ADaemonThatWasKilledGoesOnWhereItWas) {
  Appliance appliance;
  appliance.sessions = 50;
  configure(appliance.source("a", password()));
  {
    Child daemon = place_.start("run");
    ASSERT_TRUE(eventually([&] { return !place_.lines().empty(); })) << daemon.err();
    daemon.signal(SIGKILL);
    EXPECT_EQ(daemon.wait(), -SIGKILL);
    EXPECT_EQ(place_.run("status").status, 3) << "what SessionlogdUnreachable looks at does not respond";
  }
  appliance.sessions = 60;
  Child daemon = place_.start("run");
  EXPECT_TRUE(eventually([&] { return place_.lines().size() >= 60 && is_ready(); })) << daemon.err();
  const int read = appliance.logs_read();
  EXPECT_TRUE(eventually([&] { return appliance.logs_read() > read + 120; }));
  const std::vector<std::string> lines = place_.lines();
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size());
  EXPECT_EQ(lines.size(), 60u) << "each once";
  EXPECT_TRUE(eventually([&] { return place_.run("status").status == 0; }));
}

}  // namespace
}  // namespace sessionlogd::test
