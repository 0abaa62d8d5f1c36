#include "bench/fleet/appliance.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <set>

#include "tests/bench/begin.h"

namespace fleet {
namespace {

// An appliance that has been running for a while, and one client.
struct Bench {
  Plan plan;
  Conduct conduct;
  std::atomic<Nanos> freeze{kNever};
  Shared shared;
  Nanos at = kBegin + kHour;
  std::string authorization;
  std::unique_ptr<Appliance> appliance;

  explicit Bench(Dialects dialects, std::size_t sessions = 65, const FaultMix& faults = {}) {
    plan.seed = 21;
    plan.dialects = dialects;
    plan.sessions = sessions;
    plan.entries = 5;
    plan.begin = kBegin;
    plan.faults = faults;
    conduct.password = "secret";
    appliance = std::make_unique<Appliance>(plan, conduct, 0, freeze, shared);
  }

  Response ask(std::string_view method, std::string_view path, std::string_view query = "", std::string_view body = "",
               std::string_view version = "1.4-rev0") {
    Request request;
    request.method = method;
    request.path = path;
    request.query = query;
    request.body = body;
    request.api_version = version;
    request.authorization = authorization;
    request.arrived = at;
    Response response = appliance->response(request, at);
    appliance->finished(response, {true, at, at});
    return response;
  }
  void log_in(std::string_view path) {
    const Response response = ask("POST", path, "", "grant_type=password&username=collector&password=secret");
    ASSERT_EQ(response.status, 200);
    simdjson::dom::parser parser;
    authorization = "Bearer " + std::string(parser.parse(*response.body)["access_token"].get_string().value());
  }
  std::vector<std::string> ids(std::string_view path, const std::string& query) {
    const Response response = ask("GET", path, query);
    EXPECT_EQ(response.status, 200) << *response.body;
    simdjson::dom::parser parser;
    std::vector<std::string> ids;
    for (const auto session : parser.parse(*response.body)["results"].get_array())
      ids.emplace_back(session["id"].get_string().value());
    return ids;
  }
};

TEST(Appliance, PagesMeetWithoutGapOrOverlap) {
  for (const auto& [dialects, token, path] :
       {std::tuple(Dialects::aws, "/api/v1/token", "/api/v1/sessions"),
        std::tuple(Dialects::azure, "/api/oauth2/token", "/api/v8.1/jobSessions")}) {
    Bench bench(dialects);
    bench.log_in(token);
    std::set<std::string> seen;
    for (std::size_t offset = 0; offset < 70; offset += 10) {
      for (const std::string& id : bench.ids(path, "Offset=" + std::to_string(offset) + "&Limit=10"))
        EXPECT_TRUE(seen.insert(id).second);
    }
    EXPECT_EQ(seen.size(), 65u);
    EXPECT_EQ(bench.ids(path, "Limit=-1").size(), 65u);
  }
}

TEST(Appliance, AzureShowsThirtyAtATimeNewestFirst) {
  Bench bench(Dialects::azure);
  bench.log_in("/api/oauth2/token");
  const auto ids = bench.ids("/api/v8/jobSessions", "");
  ASSERT_EQ(ids.size(), 30u);
  EXPECT_EQ(ids.front(), make_session(bench.plan, 0, 64).id);
}

TEST(Appliance, WindowsAreAboutTheStartOfASession) {
  Bench bench(Dialects::aws);
  bench.log_in("/api/v1/token");
  const Session session = make_session(bench.plan, 0, 40);
  const std::string window = "FromUtc=" + aws_time(session.start) + "&ToUtc=" + aws_time(session.start);
  EXPECT_EQ(bench.ids("/api/v1/sessions", window), std::vector{session.id});
  EXPECT_EQ(bench.ids("/api/v1/sessions", "Limit=-1&Sort=startTimeAsc&FromUtc=" + aws_time(session.start)).size(), 25u);
}

TEST(Appliance, FiltersByStatusAsOftenAsGiven) {
  Bench bench(Dialects::aws);
  bench.log_in("/api/v1/token");
  const auto both = bench.ids("/api/v1/sessions", "Limit=-1&Status=Failed&Status=Warning").size();
  EXPECT_EQ(both, bench.ids("/api/v1/sessions", "Limit=-1&Status=Failed").size() +
                      bench.ids("/api/v1/sessions", "Limit=-1&Status=Warning").size());
  EXPECT_GT(both, 0u);
  EXPECT_EQ(bench.ids("/api/v1/sessions", "Status=Running").size(), 0u);
}

TEST(Appliance, RefusesWhatTheProductsRefuse) {
  Bench aws(Dialects::aws), azure(Dialects::azure);
  aws.log_in("/api/v1/token");
  azure.log_in("/api/oauth2/token");
  EXPECT_EQ(aws.ask("GET", "/api/v1/sessions", "", "", "").status, 400) << "without x-api-version";
  EXPECT_EQ(aws.ask("GET", "/api/v1/sessions", "FromUtc=yesterday").status, 400);
  EXPECT_EQ(azure.ask("GET", "/api/v1/jobSessions").status, 404) << "a version that is gone";
  EXPECT_EQ(azure.ask("GET", "/api/v8/jobSessions", "FromUtc=2020-06-20T19:19:52").status, 400) << "without zone";
  EXPECT_EQ(azure.ask("GET", "/api/v8/jobSessions/nobody/log").status, 404);
}

TEST(Appliance, ARefreshTokenWorksOnce) {
  Bench bench(Dialects::azure);
  simdjson::dom::parser parser;
  const Response login =
      bench.ask("POST", "/api/oauth2/token", "", "grant_type=Password&username=collector&password=secret");
  const std::string refresh(parser.parse(*login.body)["refresh_token"].get_string().value());
  const std::string form = "grant_type=Refresh_token&refresh_token=" + refresh;
  EXPECT_EQ(bench.ask("POST", "/api/oauth2/token", "", form).status, 200);
  EXPECT_EQ(bench.ask("POST", "/api/oauth2/token", "", form).status, 401);
}

TEST(Appliance, TokensEnd) {
  Bench bench(Dialects::aws);
  bench.log_in("/api/v1/token");
  bench.at += bench.conduct.token_lifetime;
  const Response response = bench.ask("GET", "/api/v1/sessions");
  EXPECT_EQ(response.status, 401);
  EXPECT_NE(response.body->find("ExpiredToken"), std::string::npos);
  bench.log_in("/api/v1/token");
  EXPECT_EQ(bench.ask("DELETE", "/api/v1/token").status, 204);
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, 401);
}

TEST(Appliance, CountsRequestsInsideARetryAfterSpan) {
  FaultMix faults;
  faults.set(Fault::too_many, 1);
  Bench bench(Dialects::aws, 10, faults);
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, 429);
  bench.at += kSecond / 2;
  bench.ask("GET", "/api/v1/sessions");
  EXPECT_EQ(bench.appliance->account().judged().inside_retry_after, 1u);
}

// What was never sent to its end, or to a client that had left, tells nobody to wait.
TEST(Appliance, AsksNobodyToWaitWithAResponseThatNobodyCouldRead) {
  FaultMix faults;
  faults.set(Fault::too_many, 1);
  Bench bench(Dialects::aws, 10, faults);
  Request request;
  request.method = "GET";
  request.path = "/api/v1/sessions";
  request.arrived = bench.at;
  for (const Delivery& unread : {Delivery{false, bench.at, 0}, Delivery{true, bench.at, kNever}}) {
    const Response response = bench.appliance->response(request, bench.at);
    EXPECT_EQ(response.status, 429);
    bench.appliance->finished(response, unread);
  }
  bench.at += kSecond / 2;
  bench.ask("GET", "/api/v1/sessions");
  EXPECT_EQ(bench.appliance->account().judged().inside_retry_after, 0u);
}

TEST(Appliance, TellsWhichRequestCameWithinWhichWishToWait) {
  FaultMix faults;
  faults.set(Fault::too_many, 1);
  Bench bench(Dialects::aws, 10, faults);
  bench.ask("GET", "/api/v1/sessions");
  bench.at += kSecond / 2;
  bench.ask("POST", "/api/v1/token");
  const std::vector<std::string> told = bench.appliance->account().judged().told;
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find(" POST /api/v1/token, no. 1 of 0 > 0 came 500 ms after a wish"), std::string::npos) << told[0];
  EXPECT_NE(told[0].find(R"(429 "Retry-After: )"), std::string::npos) << told[0];
  EXPECT_NE(told[0].find(" for GET /api/v1/sessions, no. 1 of"), std::string::npos) << told[0];
}

FaultMix always(Fault fault) {
  FaultMix faults;
  faults.set(fault, 1);
  return faults;
}

TEST(Appliance, RefusesLargePagesOrCapsThem) {
  Bench bench(Dialects::aws, 65, always(Fault::page_limit));
  bench.log_in("/api/v1/token");
  const Nature nature = nature_of(bench.plan, 0);
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions", "Limit=200").status, nature.greatest_limit < 200 ? 400 : 200);
  EXPECT_EQ(bench.ids("/api/v1/sessions", "Limit=60").size(), std::min<std::size_t>(nature.most_rows, 60));
}

TEST(Appliance, RefusesItsVersionForAWhile) {
  for (const auto& [dialects, token, path, status] :
       {std::tuple(Dialects::aws, "/api/v1/token", "/api/v1/sessions", 400),
        std::tuple(Dialects::azure, "/api/oauth2/token", "/api/v8/jobSessions", 404)}) {
    Bench bench(dialects, 10, always(Fault::version));
    bench.at = kBegin;
    bench.log_in(token);
    const Span refusing = nature_of(bench.plan, 0).refuses_versions;
    bench.at = refusing.from;
    EXPECT_EQ(bench.ask("GET", path).status, status);
    bench.at = refusing.to;
    EXPECT_EQ(bench.ask("GET", path).status, 200);
  }
}

TEST(Appliance, RefusesRefreshTokensAndForgetsLogins) {
  Bench bench(Dialects::aws, 10, always(Fault::login_limit));
  bench.at = kBegin;
  bench.log_in("/api/v1/token");
  EXPECT_EQ(bench.ask("POST", "/api/v1/token", "", "grant_type=refresh_token&refresh_token=x").status, 401);
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, 200);
  bench.at += bench.plan.duration / 2;
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, 401);
}

TEST(Appliance, RespondsWithServerErrorsToEverythingForAWhile) {
  Bench bench(Dialects::aws, 10, always(Fault::server_errors));
  bench.at = kBegin;
  bench.log_in("/api/v1/token");
  const Span failing = nature_of(bench.plan, 0).has_server_errors;
  for (const auto& [at, fails] : {std::pair(failing.from - 1, false), std::pair(failing.from, true),
                                  std::pair(failing.to - 1, true), std::pair(failing.to, false)}) {
    bench.at = at;
    EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status >= 500, fails);
    EXPECT_EQ(bench.ask("POST", "/api/v1/token", "", "grant_type=x").status >= 500, fails);
  }
}

TEST(Appliance, LetsTokensExpireEarlyThatCanBeRefreshed) {
  Bench bench(Dialects::aws, 10, always(Fault::early_expiry));
  bench.at = kBegin;
  const Response login =
      bench.ask("POST", "/api/v1/token", "", "grant_type=password&username=collector&password=secret");
  simdjson::dom::parser parser;
  const std::string refresh(parser.parse(*login.body)["refresh_token"].get_string().value());
  bench.log_in("/api/v1/token");
  bench.at += bench.plan.duration / 4;
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, 401);
  EXPECT_EQ(bench.ask("POST", "/api/v1/token", "", "grant_type=refresh_token&refresh_token=" + refresh).status, 200);
}

TEST(Appliance, ForgetsLoginsWhenAnotherClientComes) {
  Bench bench(Dialects::aws, 10, always(Fault::second_client));
  bench.at = kBegin;
  bench.log_in("/api/v1/token");
  bench.at += bench.plan.duration / 4;
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, 401);
  bench.log_in("/api/v1/token");
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, 200);
}

TEST(Appliance, WithOneSessionForgetsTheLoginBefore) {
  for (const bool has_one : {true, false}) {
    Bench bench(Dialects::aws, 10, has_one ? always(Fault::one_session) : FaultMix{});
    bench.at = kBegin;
    bench.log_in("/api/v1/token");
    const std::string before = bench.authorization;
    bench.log_in("/api/v1/token");
    EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, 200);
    bench.authorization = before;
    EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").status, has_one ? 401 : 200);
  }
}

TEST(Appliance, SaysNothingOfWhatWasAskedForForAWhile) {
  Bench bench(Dialects::aws, 10, always(Fault::no_log));
  bench.at = kBegin;
  bench.log_in("/api/v1/token");
  const std::string log = "/api/v1/sessions/" + make_session(bench.plan, 0, 0).id + "/log";
  const Span span = nature_of(bench.plan, 0).says_no_log;
  const std::size_t existing = bench.appliance->sessions_existing(kBegin);
  std::set<std::string> bodies;
  for (bench.at = span.from; bench.at < span.to; bench.at += kMomentLength) {
    const Response response = bench.ask("GET", log);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body->find(R"("log":[)"), std::string::npos);
    bodies.insert(response.body->substr(0, 12));
    EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").body->find(R"("results":)"), std::string::npos);
  }
  EXPECT_EQ(bodies.size(), 4u);
  EXPECT_GE(bench.appliance->sessions_unread(span.from), existing) << "that was no log";
  bench.at = span.to;
  EXPECT_NE(bench.ask("GET", log).body->find(R"("sessionId":)"), std::string::npos);
}

TEST(Appliance, IsBlindForAWhile) {
  Bench bench(Dialects::aws, 10, always(Fault::blind));
  bench.at = kBegin;
  bench.log_in("/api/v1/token");
  const Span span = nature_of(bench.plan, 0).is_blind;
  bench.at = span.from;
  EXPECT_TRUE(bench.ids("/api/v1/sessions", "").empty());
  EXPECT_EQ(bench.ask("GET", "/api/v1/sessions/" + make_session(bench.plan, 0, 0).id + "/log").status, 200);
  bench.at = span.to;
  EXPECT_FALSE(bench.ids("/api/v1/sessions", "").empty());
}

TEST(Appliance, ShufflesItsListingsForAWhile) {
  Bench bench(Dialects::aws, 40, always(Fault::shuffled_listings));
  bench.at = kBegin;
  bench.log_in("/api/v1/token");
  const Span span = nature_of(bench.plan, 0).shuffles;
  bench.at = span.from;
  EXPECT_NE(bench.ids("/api/v1/sessions", "Limit=-1"), bench.ids("/api/v1/sessions", "Limit=-1"));
  bench.at = span.to;
  EXPECT_EQ(bench.ids("/api/v1/sessions", "Limit=-1"), bench.ids("/api/v1/sessions", "Limit=-1"));
  EXPECT_EQ(bench.ids("/api/v1/sessions", "Limit=-1").size(), 5u) << "so that there are pages";
}

TEST(Appliance, LiesAboutItsTotal) {
  std::set<std::string> totals;
  for (std::uint64_t seed = 1; seed < 30; ++seed) {
    Bench bench(Dialects::aws, 40, always(Fault::total_lies));
    bench.plan.seed = seed;
    bench.appliance = std::make_unique<Appliance>(bench.plan, bench.conduct, 0, bench.freeze, bench.shared);
    bench.at = kBegin;
    bench.log_in("/api/v1/token");
    const Nature nature = nature_of(bench.plan, 0);
    if (nature.total_lie == TotalLie::none) bench.at = nature.ignores_offset.from;
    const auto first = bench.ids("/api/v1/sessions", "");
    EXPECT_EQ(first == bench.ids("/api/v1/sessions", "Offset=5"), nature.total_lie == TotalLie::none);
    const std::string body = *bench.ask("GET", "/api/v1/sessions").body;
    const std::string total = body.substr(0, body.find(','));
    totals.insert(total);
    bench.at = kBegin + kHour / 2;
    EXPECT_NE(bench.ids("/api/v1/sessions", ""), bench.ids("/api/v1/sessions", "Offset=5"));
  }
  EXPECT_TRUE(totals.contains(R"({"totalCount":null)"));
  EXPECT_TRUE(totals.contains(R"({"totalCount":0)"));
  EXPECT_TRUE(totals.contains(R"({"totalCount":5)"));
  EXPECT_GE(totals.size(), 4u);
}

TEST(Appliance, StepsItsDateHeader) {
  Bench bench(Dialects::aws, 10, always(Fault::clock_steps));
  const auto telling = telling_of(bench.plan, 0);
  for (const ClockStep& step : telling->steps) {
    bench.at = step.when.from - 1;
    EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").date, "");
    bench.at = step.when.from;
    const std::string date = bench.ask("GET", "/api/v1/sessions").date;
    EXPECT_EQ(date, step.date.empty() ? http_date(bench.at + step.by) : std::string(step.date));
    bench.freeze = bench.at;
    EXPECT_EQ(bench.ask("GET", "/api/v1/sessions").date, "") << "a frozen fleet is right";
    bench.freeze = kNever;
  }
}

TEST(Appliance, ListsTensOfThousandsOfSessionsInSmallPages) {
  Bench bench(Dialects::aws, 42000);
  bench.conduct.page_cap = 30;
  bench.log_in("/api/v1/token");
  std::set<std::string> seen;
  for (std::size_t offset = 0; offset < 42000; offset += 30) {
    for (std::string& id : bench.ids("/api/v1/sessions", "Limit=-1&Offset=" + std::to_string(offset)))
      seen.insert(std::move(id));
  }
  EXPECT_EQ(seen.size(), 42000u);
}

}  // namespace
}  // namespace fleet
