#include "core/api/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <ctime>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>

#include "config/load.h"
#include "core/http/curl_client.h"
#include "tests/core/captured_log.h"
#include "tests/support/test_server.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;
using test::answer;
using test::TemporaryFile;
using test::TestServer;
using testing::HasSubstr;
using Reply = TestServer::Reply;
using Request = TestServer::Request;

std::string grant(int number, const std::string& more = "") {
  const std::string n = std::to_string(number);
  return answer(R"({"access_token":"access-)" + n + R"(","refresh_token":"refresh-)" + n + "\"" + more + "}");
}

Reply unauthorized() { return answer("{}", {}, "401 Unauthorized"); }

// The appliance's side. What it was asked is read while it has nothing to answer.
struct Desk {
  std::function<Reply(int number)> log_in = [](int number) { return grant(number); };
  std::function<Reply(int number)> refresh = [](int number) { return grant(number); };
  std::function<Reply(std::string bearer)> serve = [](std::string) { return answer("{}"); };
  std::function<std::optional<Reply>(std::string target)> instead = [](std::string) { return std::nullopt; };

  std::atomic<int> logins = 0, refreshes = 0, gets = 0;
  std::vector<std::string> refresh_forms, returned;

  Reply operator()(const Request& request) {
    const std::string_view authorization = request[boost::beast::http::field::authorization];
    const std::string bearer(authorization.substr(std::min<std::size_t>(authorization.size(), 7)));
    if (request.target() != "/api/v1/token") {
      ++gets;
      if (auto other = instead(std::string(request.target()))) return *other;
      return serve(bearer);
    }
    if (request.method() == boost::beast::http::verb::delete_) {
      returned.push_back(bearer);
      return answer("", {}, "204 No Content");
    }
    if (request.body().find("grant_type=refresh_token") == std::string::npos) return log_in(++logins + refreshes);
    refresh_forms.push_back(request.body());
    return refresh(logins + ++refreshes);
  }
};

class ApiClientTest : public testing::Test {
 protected:
  using Got = std::optional<Result<HttpAnswer>>;

  ApiClientTest() {
    const auto& built_in = built_in_dialects();
    const auto aws =
        std::find_if(built_in.begin(), built_in.end(), [](const auto& each) { return each.name == "veeam-aws"; });
    settings_.dialect = std::make_shared<Dialect>(std::get<Dialect>(parse_dialect(aws->toml, "veeam-aws.toml")));
    settings_.api_version = settings_.dialect->version.fallback;
    settings_.name = settings_.id = "a";
    settings_.username = "collector";
    settings_.password = Secret::parse("file:" + password_.path());
    settings_.url = server_.url();
    settings_.poll.rate_per_second = 10'000;
  }

  ApiClient& api() {
    if (!api_) api_ = std::make_unique<ApiClient>(io_, http_, settings_, random_, manners_);
    return *api_;
  }

  void start(Got& got, const std::string& target = "/api/v1/sessions") {
    asio::co_spawn(io_, api().get(target), [&got](std::exception_ptr failed, Result<HttpAnswer> answered) {
      if (!failed) got = std::move(answered);
    });
  }

  // The limit is for faults only.
  template <class Condition>
  void run_until(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    io_.restart();
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "still waiting after a minute";
      io_.run_one_for(std::chrono::milliseconds(5));
      most_in_flight_ = std::max(most_in_flight_, http_.in_flight());
    }
  }

  // `count` at once, to their ends.
  std::vector<Got> get(std::size_t count = 1) {
    std::vector<Got> got(count);
    for (Got& each : got) start(each);
    run_until([&] { return std::all_of(got.begin(), got.end(), [](const Got& each) { return each.has_value(); }); });
    return got;
  }

  Error error_of_get() { return get().front()->error(); }

  Result<HttpAnswer> get_from(const std::string& target) {
    Got got;
    start(got, target);
    run_until([&] { return got.has_value(); });
    return *std::move(got);
  }

  void log_out(std::chrono::milliseconds most = std::chrono::seconds(30)) {
    bool ended = false;
    asio::co_spawn(io_, api().log_out(most), [&](std::exception_ptr) { ended = true; });
    run_until([&] { return ended; });
  }

  Desk desk_;
  TestServer server_{[this](const Request& request) { return desk_(request); }};
  TemporaryFile password_{"secret\n"};
  SourceSettings settings_;
  Manners manners_{.between_logins = std::chrono::milliseconds(0), .doubt = std::chrono::milliseconds(0)};
  CapturedLog log_;
  asio::io_context io_{1};
  CurlClient http_{io_};
  std::mt19937_64 random_{1};
  std::unique_ptr<ApiClient> api_;
  std::size_t most_in_flight_ = 0;
};

TEST_F(ApiClientTest, CannotBeMadeWithTlsFilesThatHaveGone) {
  for (const auto file : {&TlsSettings::ca_file, &TlsSettings::cert_file, &TlsSettings::key_file}) {
    settings_.tls = {};
    settings_.tls.*file = "/nonexistent/file.pem";
    EXPECT_THAT([&] { api(); },
                testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("/nonexistent/file.pem")));
  }
}

TEST_F(ApiClientTest, LogsInOnceForManyRequests) {
  for (const Got& got : get(20)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_EQ(desk_.gets, 20);
}

TEST_F(ApiClientTest, RefreshesOnceForManyRequestsWhoseTokenWasRefused) {
  get();
  desk_.serve = [](const std::string& bearer) -> Reply {
    return bearer == "access-1" ? unauthorized() : Reply(answer("{}"));
  };
  for (const Got& got : get(20)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_EQ(desk_.refreshes, 1);
  EXPECT_THAT(desk_.refresh_forms, testing::ElementsAre(HasSubstr("refresh_token=refresh-1")));
}

TEST_F(ApiClientTest, UsesEachRefreshTokenOnce) {
  std::string accepted = "access-1";
  desk_.serve = [&](const std::string& bearer) -> Reply {
    return bearer == accepted ? Reply(answer("{}")) : unauthorized();
  };
  for (int i = 2; i < 5; ++i) {
    get(5);
    accepted = "access-" + std::to_string(i);
  }
  get(5);
  EXPECT_THAT(desk_.refresh_forms,
              testing::ElementsAre(HasSubstr("=refresh-1"), HasSubstr("=refresh-2"), HasSubstr("=refresh-3")));
}

TEST_F(ApiClientTest, LogsInWhenTheRefreshTokenIsRefused) {
  get();
  desk_.serve = [](const std::string& bearer) -> Reply {
    return bearer == "access-1" ? unauthorized() : Reply(answer("{}"));
  };
  desk_.refresh = [](int) { return Reply(answer("{}", {}, "400 Bad Request")); };
  for (const Got& got : get(10)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.refreshes, 1);
  EXPECT_EQ(desk_.logins, 2);
}

TEST_F(ApiClientTest, TriesARequestOnceMoreAfter401) {
  desk_.serve = [](const std::string&) { return unauthorized(); };
  const Error error = error_of_get();
  EXPECT_EQ(error.http_status, 401);
  EXPECT_EQ(desk_.gets, 2);
}

// With its reading end in a file, as a secret has it.
class ApiClientWithAFixedToken : public ApiClientTest {
 protected:
  ApiClientWithAFixedToken() {
    settings_.password.reset();
    settings_.token = Secret::parse("file:" + token_.path());
    desk_.serve = [this](const std::string& bearer) -> Reply {
      return bearer == accepted_ ? Reply(answer("{}")) : unauthorized();
    };
  }

  TemporaryFile token_{"first\n"};
  std::string accepted_ = "first";
};

TEST_F(ApiClientWithAFixedToken, NeverLogsIn) {
  for (const Got& got : get(5)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.logins + desk_.refreshes, 0);
}

TEST_F(ApiClientWithAFixedToken, IsParkedWhenItIsRefusedUntilTheFileChanges) {
  accepted_ = "second";
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kLogInAgain);
  EXPECT_THAT(error.detail, HasSubstr("the token was refused"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(error_of_get().detail, error.detail);
  EXPECT_EQ(desk_.gets, 1);
  std::ofstream(token_.path()) << "second\n";
  EXPECT_TRUE(get().front()->has_value());
}

TEST_F(ApiClientWithAFixedToken, TakesAChangedFileUpAtTheFirstRefusal) {
  EXPECT_TRUE(get().front()->has_value());
  std::ofstream(token_.path()) << "second\n";
  EXPECT_TRUE(get().front()->has_value()) << "the old one still works";
  accepted_ = "second";
  for (const Got& got : get(4)) EXPECT_TRUE(got->has_value());
}

TEST_F(ApiClientWithAFixedToken, SaysThatItsFileCannotBeRead) {
  api();
  accepted_ = "second";
  std::ofstream(token_.path(), std::ios::trunc);
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kLogInAgain);
  EXPECT_THAT(error.detail, HasSubstr("is empty"));
}

TEST_F(ApiClientTest, RetryAfterHoldsBackEverythingOfTheSource) {
  desk_.serve = [](const std::string&) { return Reply(answer("{}", {"Retry-After: 3600"}, "429 Too Many Requests")); };
  EXPECT_EQ(error_of_get().retry_after, std::chrono::hours(1));
  std::vector<Got> later(5);
  for (Got& each : later) start(each);
  io_.restart();
  io_.poll();
  EXPECT_EQ(http_.in_flight(), 0u);
  EXPECT_EQ(api().requests().total(), 2u);
  api().stop();
  run_until([&] { return std::all_of(later.begin(), later.end(), [](const Got& each) { return each.has_value(); }); });
  for (const Got& got : later) EXPECT_EQ(got->error().kind, ErrorKind::kCancelled);
}

TEST_F(ApiClientTest, NeverHasMoreInFlightThanConnections) {
  settings_.poll.connections = 3;
  desk_.serve = [](const std::string&) { return Reply("", Reply::Then::kKeepAlive, answer("{}")); };
  std::vector<Got> got(20);
  for (Got& each : got) start(each);
  run_until([&] { return desk_.gets == 3; });
  server_.let_go();
  run_until([&] { return std::all_of(got.begin(), got.end(), [](const Got& each) { return each.has_value(); }); });
  EXPECT_EQ(most_in_flight_, 3u);
}

TEST_F(ApiClientTest, ARedirectIsAnError) {
  desk_.serve = [this](const std::string&) {
    return Reply(answer("", {"Location: " + server_.url() + "/elsewhere"}, "302 Found"));
  };
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_EQ(error.http_status, 302);
  EXPECT_EQ(desk_.gets, 1);
}

TEST_F(ApiClientTest, HandsTheTokenBackAtStop) {
  get();
  api().stop();
  EXPECT_EQ(error_of_get().kind, ErrorKind::kCancelled);
  log_out();
  EXPECT_THAT(desk_.returned, testing::ElementsAre("access-1"));
}

TEST_F(ApiClientTest, StopEndsALoginInFlight) {
  desk_.log_in = [](int) { return Reply("", Reply::Then::kSilence); };
  std::vector<Got> got(3);
  for (Got& each : got) start(each);
  run_until([&] { return desk_.logins == 1; });
  api().stop();
  run_until([&] { return std::all_of(got.begin(), got.end(), [](const Got& each) { return each.has_value(); }); });
  for (const Got& each : got) EXPECT_TRUE(each->has_error());
  EXPECT_EQ(http_.in_flight(), 0u);
}

TEST_F(ApiClientTest, RefusedCredentialsParkTheSourceUntilTheSecretChanges) {
  desk_.log_in = [](int) { return unauthorized(); };
  for (int i = 0; i < 5; ++i) {
    for (const Got& got : get(4)) EXPECT_TRUE(got->has_error());
  }
  EXPECT_EQ(desk_.logins, 1);
  std::ofstream(password_.path()) << "another\n";
  desk_.log_in = [](int number) { return Reply(grant(number)); };
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_EQ(desk_.logins, 2);
}

// A page for people while the product starts says nothing about the credentials.
TEST_F(ApiClientTest, ALoginThatIsAnsweredWithAPageIsTriedAgain) {
  desk_.log_in = [](int) { return Reply(answer("<html>starting</html>")); };
  EXPECT_EQ(error_of_get().kind, ErrorKind::kLogInAgain) << "nobody logged in there yet: a wrong url?";
  desk_.log_in = [](int number) { return Reply(grant(number)); };
  EXPECT_TRUE(get().front()->has_value());
  desk_.serve = [](const std::string&) { return unauthorized(); };
  desk_.refresh = [](int) { return unauthorized(); };
  desk_.log_in = [](int) { return Reply(answer("<html>starting</html>")); };
  EXPECT_EQ(error_of_get().kind, ErrorKind::kTryLater);
}

TEST_F(ApiClientTest, ALoginThatFailsIsNotRepeatedByThoseWhoWaitedForIt) {
  desk_.log_in = [](int) { return Reply(answer("{}", {}, "500 Internal Server Error")); };
  for (const Got& got : get(10)) EXPECT_EQ(got->error().kind, ErrorKind::kTryLater);
  EXPECT_EQ(desk_.logins, 1);
}

// Nothing is known of the session then: an ended one that cannot be read is given up after a while.
TEST_F(ApiClientTest, ALoginsFailureIsNotTakenForTheRequests) {
  struct Case {
    std::string status;
    ErrorKind kind;
  };
  for (const Case& c : {Case{"401 Unauthorized", ErrorKind::kLogInAgain}, Case{"404 Not Found", ErrorKind::kLogInAgain},
                        Case{"500 Oh", ErrorKind::kTryLater}, Case{"200 OK", ErrorKind::kLogInAgain}}) {
    api_.reset();
    desk_.log_in = [&](int) { return Reply(answer("<html>", {}, c.status)); };
    const Error error = error_of_get();
    EXPECT_EQ(error.kind, c.kind) << c.status;
    EXPECT_EQ(error.http_status, 0) << c.status;
  }
}

TEST_F(ApiClientTest, LogsInAtMostOnceInThirtySeconds) {
  manners_ = {.held_back = HeldBack::kFails};
  settings_.poll.timeout = std::chrono::seconds(5);
  desk_.refresh = [](int) { return unauthorized(); };
  get();
  desk_.serve = [](const std::string&) { return unauthorized(); };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(error_of_get().kind, ErrorKind::kTryLater);
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_THAT(error_of_get().detail, HasSubstr("at most one login in 30 s"));
}

TEST_F(ApiClientTest, ALoginThatMayNotBeSentYetIsWaitedForAndServesAll) {
  manners_.between_logins = std::chrono::milliseconds(50);
  desk_.refresh = [](int) { return unauthorized(); };
  std::string accepted = "access-1";
  desk_.serve = [&](const std::string& bearer) -> Reply {
    return bearer == accepted ? Reply(answer("{}")) : unauthorized();
  };
  get();
  accepted = "access-3";  // the refusal took a number
  for (const Got& got : get(5)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.logins, 2);
}

TEST_F(ApiClientTest, ALoginThatCouldNotConnectMayBeTriedAgainAtOnce) {
  manners_ = {.held_back = HeldBack::kFails};
  settings_.url = "http://127.0.0.1:1";
  EXPECT_THAT(error_of_get().detail, HasSubstr("cannot connect"));
  EXPECT_THAT(error_of_get().detail, HasSubstr("cannot connect"));
}

// libcurl sends again what fails on a connection that was used before: not this.
TEST_F(ApiClientTest, ALoginIsSentOnceThoughItsConnectionBreaks) {
  get();
  desk_.refresh = [](int) { return unauthorized(); };
  desk_.serve = [](const std::string&) { return unauthorized(); };
  desk_.log_in = [](int) { return Reply("", Reply::Then::kReset); };
  EXPECT_EQ(error_of_get().kind, ErrorKind::kTryLater);
  EXPECT_EQ(desk_.logins, 2);
}

TEST_F(ApiClientTest, SaysOnceThatAnotherClientUsesTheAccount) {
  desk_.log_in = [](int number) { return Reply(grant(number, R"(,"expires_in":3600)")); };
  desk_.refresh = [](int) { return unauthorized(); };
  // Each token lives for one request.
  std::set<std::string> used;
  desk_.serve = [&](const std::string& bearer) -> Reply {
    return used.insert(bearer).second ? Reply(answer("{}")) : unauthorized();
  };
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(get().front()->has_value());
  EXPECT_EQ(desk_.logins, 10);
  EXPECT_EQ(log_.count("another client seems to use this account"), 1);
}

// ---- The breaker

std::optional<Reply> fail_one_session(const std::string& target) {
  if (target != "/sessions/bad") return std::nullopt;
  return Reply(answer("", {}, "500 Internal Server Error"));
}

TEST_F(ApiClientTest, OneBadSessionDoesNotSlowItsSource) {
  desk_.instead = fail_one_session;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get_from("/sessions/bad").error().http_status, 500);
  EXPECT_TRUE(get_from("/sessions/good").has_value());
  EXPECT_EQ(api().breaker_until(), std::nullopt);
  EXPECT_EQ(log_.count("source=a"), 0);
}

TEST_F(ApiClientTest, ASourceThatFailsWhateverItIsAskedIsLeftAloneAndThatIsSaidOnce) {
  get();
  desk_.instead = [](const std::string&) {
    return Reply(answer(R"({"title":"Database is read-only"})", {}, "503 Service Unavailable"));
  };
  for (const char* target : {"/sessions/a", "/sessions/b", "/sessions/c"})
    EXPECT_EQ(get_from(target).error().http_status, 503);
  EXPECT_NE(api().breaker_until(), std::nullopt);
  const int asked = desk_.gets;
  std::vector<Got> later(5);
  for (Got& each : later) start(each);
  io_.restart();
  io_.poll();
  EXPECT_EQ(http_.in_flight(), 0u);
  EXPECT_EQ(desk_.gets, asked);
  EXPECT_EQ(log_.count("source=a fails whatever it is asked: HTTP 503: Database is read-only;"), 1) << log_.text();
  EXPECT_EQ(log_.count("source=a"), 1);
  api().stop();
  run_until([&] { return std::all_of(later.begin(), later.end(), [](const Got& each) { return each.has_value(); }); });
  log_out(std::chrono::milliseconds(100));
  EXPECT_THAT(desk_.returned, testing::IsEmpty()) << "the logout is a request like any other";
}

// Three sessions of many may be asked in a row.
TEST_F(ApiClientTest, InOnePassASourceOfWhichThreeSessionsFailIsAskedOn) {
  manners_.held_back = HeldBack::kFails;
  manners_.doubt = CircuitBreaker::kDoubt;
  get();
  desk_.instead = [](const std::string& target) -> std::optional<Reply> {
    if (!target.starts_with("/sessions/bad")) return std::nullopt;
    return Reply(answer("", {}, "500 Internal Server Error"));
  };
  for (const char* target : {"/sessions/bad-1", "/sessions/bad-2", "/sessions/bad-3"})
    EXPECT_TRUE(get_from(target).has_error());
  EXPECT_TRUE(get_from("/sessions/good").has_value());
  EXPECT_EQ(log_.count("source=a"), 0) << log_.text();
}

TEST_F(ApiClientTest, InOnePassASourceThatFailsIsNotWaitedFor) {
  manners_.held_back = HeldBack::kFails;
  get();
  desk_.instead = [](const std::string&) { return Reply("", Reply::Then::kReset); };
  for (const char* target : {"/sessions/a", "/sessions/b", "/sessions/c"}) EXPECT_TRUE(get_from(target).has_error());
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kTryLater);
  EXPECT_THAT(error.detail, HasSubstr("not asked, since it fails: 127.0.0.1:"));
  EXPECT_EQ(api().requests().total(), 5u) << "a login and four others";
}

TEST_F(ApiClientTest, LoginsThatFailToConnectCountForTheRequestsThatNeedThem) {
  settings_.url = "http://127.0.0.1:1";
  for (int i = 0; i < 10; ++i) get_from("/sessions/a");
  EXPECT_EQ(api().breaker_until(), std::nullopt);
  get_from("/sessions/b");
  get_from("/sessions/c");
  EXPECT_NE(api().breaker_until(), std::nullopt);
  EXPECT_EQ(log_.count("cannot connect"), 1);
}

// ---- Retry-After

TEST_F(ApiClientTest, ALoginsRetryAfterHoldsBackEverything) {
  desk_.log_in = [](int) { return Reply(answer("{}", {"Retry-After: 3600"}, "429 Too Many Requests")); };
  EXPECT_EQ(error_of_get().kind, ErrorKind::kTryLater);
  Got later;
  start(later, "/sessions/a");
  io_.restart();
  io_.poll();
  EXPECT_EQ(api().requests().total(), 1u);
  api().stop();
  run_until([&] { return later.has_value(); });
}

TEST_F(ApiClientTest, OnePassDoesNotWaitForALongRetryAfter) {
  manners_.held_back = HeldBack::kFails;
  desk_.serve = [](const std::string&) { return Reply(answer("{}", {"Retry-After: 3600"}, "429 Too Many Requests")); };
  EXPECT_EQ(error_of_get().retry_after, std::chrono::hours(1));
  const Error later = get_from("/sessions/a").error();
  EXPECT_EQ(later.kind, ErrorKind::kTryLater);
  EXPECT_FALSE(later.sent);
  EXPECT_THAT(later.detail, HasSubstr("Retry-After"));
  EXPECT_GT(later.retry_after, std::chrono::minutes(50)) << "whoever asks knows that there is nothing to wait for";
  EXPECT_EQ(desk_.gets, 1);
}

// It would say the same again, half a minute later.
TEST_F(ApiClientTest, OnePassDoesNotWaitForTheLoginAfterOneThatFailed) {
  manners_.held_back = HeldBack::kFails;
  manners_.between_logins = settings_.poll.timeout / 2;
  desk_.log_in = [](int) { return Reply(answer("", {}, "500 Internal Server Error")); };
  EXPECT_THAT(error_of_get().detail, HasSubstr("HTTP 500"));
  EXPECT_THAT(error_of_get().detail, HasSubstr("HTTP 500"));
  EXPECT_EQ(desk_.logins, 1);
}

// Nothing that still waits for a connection may be sent once the source asked to be left alone.
TEST_F(ApiClientTest, ARetryAfterTakesBackWhatWasNotSentYet) {
  get();
  desk_.serve = [](const std::string&) { return Reply(answer("{}", {"Retry-After: 3600"}, "429 Too Many Requests")); };
  Got told, other;
  start(told);
  start(other, "/sessions/a");
  run_until([&] { return told.has_value(); });
  io_.restart();
  io_.run_for(std::chrono::milliseconds(20));
  EXPECT_LE(desk_.gets, 3);
  EXPECT_LE(http_.in_flight(), 1u);
  api().stop();
  run_until([&] { return other.has_value(); });
}

TEST_F(ApiClientTest, ARetryAfterCountsBeforeTheRestOfItsAnswerIsThere) {
  get();
  desk_.serve = [](const std::string&) {
    return Reply("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 2\r\n\r\n",
                 Reply::Then::kKeepAlive, "{}");
  };
  Got told, later;
  const int written = server_.written();
  start(told);
  run_until([&] { return server_.written() > written; });
  start(later, "/sessions/a");
  io_.restart();
  io_.run_for(std::chrono::milliseconds(20));
  EXPECT_EQ(desk_.gets, 2) << "the first, and the one that is told";
  EXPECT_FALSE(told.has_value());
  server_.let_go();
  run_until([&] { return told.has_value(); });
  EXPECT_EQ((*told).error().retry_after, std::chrono::hours(1));
  api().stop();
  run_until([&] { return later.has_value(); });
}

TEST_F(ApiClientTest, LeavesTheLogoutOutWithinARetryAfter) {
  get();
  desk_.serve = [](const std::string&) { return Reply(answer("{}", {"Retry-After: 60"}, "503 Service Unavailable")); };
  get();
  api().stop();
  log_out();
  EXPECT_THAT(desk_.returned, testing::IsEmpty());
}

TEST_F(ApiClientTest, ARefusalWithoutATimeSlowsTheSourceDownUntilSomethingIsServed) {
  get();
  int refused = 0;
  desk_.serve = [&](const std::string&) -> Reply {
    if (++refused <= 2) return answer("{}", {"Retry-After: 0"}, "429 Too Many Requests");
    return answer("{}");
  };
  EXPECT_EQ(error_of_get().http_status, 429);
  EXPECT_EQ(error_of_get().http_status, 429);
  EXPECT_TRUE(get().front()->has_value());
}

// ---- What is said

TEST_F(ApiClientTest, SaysOnceThatTheClockIsWrongHoweverOftenItComesAndGoes) {
  const auto dated = [](const char* date) { return answer("{}", {std::string("Date: ") + date}); };
  for (int round = 0; round < 3; ++round) {
    desk_.serve = [&](const std::string&) { return Reply(dated("Sun, 06 Nov 1994 08:49:37 GMT")); };
    get();
    EXPECT_LT(api().clock_offset(), -std::chrono::hours(24 * 365));
    desk_.serve = [&](const std::string&) {
      std::array<char, 40> now;
      const std::time_t clock = std::time(nullptr);
      std::strftime(now.data(), now.size(), "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&clock));
      return Reply(dated(now.data()));
    };
    get();
    EXPECT_EQ(api().clock_offset().count(), 0);
  }
  EXPECT_EQ(log_.count("behind ours"), 1);
  EXPECT_EQ(log_.count("agrees with ours again"), 0) << "nobody knows yet whether it stays so";
}

TEST_F(ApiClientTest, AnAnswerThatRepeatsTheSecretIsNotQuoted) {
  for (const char* echo : {R"({"message":"no: password=secret"})", R"({"detail":"Basic Y29sbGVjdG9yOnNlY3JldA=="})",
                           R"({"title":"p\u0061ssword=%73ecret"})"}) {
    api_.reset();
    desk_.log_in = [&](int) { return Reply(answer(echo, {}, "401 Unauthorized")); };
    EXPECT_THAT(error_of_get().detail, HasSubstr("repeats the secret")) << echo;
  }
}

TEST_F(ApiClientTest, OfASourceThatOnceRepeatedASecretNothingIsQuotedOrKept) {
  desk_.serve = [&](const std::string&) {
    const char* echo = desk_.gets == 2 ? R"({"message":"you sent s&#101;cret"})" : R"({"message":"out of order"})";
    return Reply(answer(echo, {}, "403 Forbidden"));
  };
  EXPECT_FALSE(api().echoes_secret("nothing of that kind"));
  EXPECT_THAT(error_of_get().detail, HasSubstr("out of order"));
  EXPECT_THAT(error_of_get().detail, testing::EndsWith("the account may not read it"));
  EXPECT_THAT(error_of_get().detail, testing::EndsWith("the account may not read it"));
  EXPECT_TRUE(api().echoes_secret("nothing of that kind"));
  EXPECT_EQ(log_.count("repeats a secret of ours"), 1);
}

// Whatever stands around it: a body of which only the beginning is looked at, and a reason that is cut in its midst.
TEST_F(ApiClientTest, OfAReasonNothingIsQuotedThatWasNotSearched) {
  settings_.password.reset();
  TemporaryFile password("hunter2secret");
  settings_.password = Secret::parse("file:" + password.path());
  const std::string far = R"({"trace":")" + std::string(80'000, 'x') + R"(","message":")";
  const auto quotes_it = [&](const Reply& login, const Reply& data) {
    api_.reset();
    desk_.log_in = [&](int number) { return number == 1 && !login.bytes.empty() ? login : Reply(grant(number)); };
    desk_.serve = [&](const std::string&) { return data; };
    desk_.logins = desk_.refreshes = 0;
    return error_of_get().detail;
  };
  const Reply none("");
  const auto refused = [](const std::string& body) { return Reply(answer(body, {}, "403 Forbidden")); };
  const std::string before(190, 'y');
  const std::string challenge =
      "WWW-Authenticate: Bearer error=\"x\", error_description=\"" + before + "hunter2secret\"";
  for (const std::string& detail : {
           quotes_it(Reply(answer(far + "login with hunter2secret failed\"}", {}, "401 Unauthorized")), none),
           quotes_it(Reply(answer(far + before + "hunter2secret\"}", {}, "401 Unauthorized")), none),
           quotes_it(none, refused(far + before + "hunter2secret\"}")),
           quotes_it(none, Reply(answer("", {challenge}, "403 Forbidden"))),
           quotes_it(Reply(answer("", {challenge}, "401 Unauthorized")), none),
       }) {
    EXPECT_THAT(detail, HasSubstr("HTTP 40"));
    EXPECT_THAT(detail, testing::Not(HasSubstr("hunter2"))) << detail;
  }
}

TEST_F(ApiClientTest, QuotesWhyARequestWasRefused) {
  desk_.serve = [](const std::string&) {
    return Reply(answer(R"({"error":{"code":"Forbidden","message":"EULA not accepted"}})", {}, "403 Forbidden"));
  };
  EXPECT_THAT(error_of_get().detail,
              HasSubstr("HTTP 403 to /api/v1/sessions: the account may not read it: EULA not accepted, Forbidden"));
}

TEST_F(ApiClientTest, APartIsNotTakenForTheWhole) {
  desk_.serve = [](const std::string&) { return Reply(answer("{}", {}, "206 Partial Content")); };
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kBadAnswer);
  EXPECT_THAT(error.detail, HasSubstr("HTTP 206"));
}

TEST_F(ApiClientTest, AnExpiredTokenIsReplacedWhateverItsStatus) {
  for (const Reply& refusal : {Reply(answer(R"({"message":"The token has expired"})", {}, "403 Forbidden")),
                               Reply(answer("", {"Location: /login"}, "302 Found"))}) {
    api_.reset();
    desk_.logins = desk_.refreshes = 0;
    desk_.serve = [&](const std::string& bearer) -> Reply {
      return bearer == "access-1" && desk_.refreshes == 0 && desk_.logins == 1 ? refusal : Reply(answer("{}"));
    };
    EXPECT_TRUE(get().front()->has_value());
    EXPECT_EQ(desk_.refreshes + desk_.logins, 2) << "one of each";
  }
}

TEST_F(ApiClientTest, SaysWhereARedirectLeads) {
  const auto redirected_to = [this](const std::string& where) {
    api_.reset();
    desk_.serve = [where](const std::string&) { return Reply(answer("", {"Location: " + where}, "302 Found")); };
    return error_of_get();
  };
  const Error login = redirected_to("/ui/login?next=x");
  EXPECT_THAT(login.detail,
              testing::EndsWith("HTTP 302 to /api/v1/sessions: redirected to /ui/login: a login page? The token is not "
                                "accepted"));
  EXPECT_THAT(login.remedy, HasSubstr("`url`"));
  EXPECT_THAT(redirected_to("https://other.example/api/v1/x?y").detail,
              testing::EndsWith("redirected to https://other.example/api/v1/x"));
  EXPECT_THAT(redirected_to("/ui/login/secret").detail, testing::Not(HasSubstr("secret")));
  EXPECT_THAT(redirected_to("").detail, testing::EndsWith("HTTP 302 to /api/v1/sessions"));
}

// Each new token would end the one that other requests, or other programs of this account, use.
TEST_F(ApiClientTest, ARequestThatIsAlwaysUnauthorizedBringsOneNewToken) {
  desk_.instead = [](const std::string& target) -> std::optional<Reply> {
    if (target.starts_with("/denied")) return unauthorized();
    return std::nullopt;
  };
  EXPECT_TRUE(get_from("/api/v1/sessions").has_value());
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(get_from("/denied").error().kind, ErrorKind::kLogInAgain);
    EXPECT_TRUE(get_from("/api/v1/sessions").has_value());
  }
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_EQ(desk_.refreshes, 1);
}

TEST_F(ApiClientTest, ManyThatAreUnauthorizedBringNoMoreTokensThanLogins) {
  manners_.between_logins = std::chrono::hours(1);
  desk_.instead = [](const std::string& target) -> std::optional<Reply> {
    if (target.starts_with("/denied")) return unauthorized();
    return std::nullopt;
  };
  EXPECT_TRUE(get_from("/api/v1/sessions").has_value());
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(get_from("/denied/" + std::to_string(i)).has_error());
    EXPECT_TRUE(get_from("/api/v1/sessions").has_value());
  }
  EXPECT_EQ(desk_.logins + desk_.refreshes, 1);
}

TEST_F(ApiClientTest, SourcesOfOneAccountSendARefusedPasswordOnce) {
  Accounts accounts("");
  manners_.accounts = &accounts;
  desk_.log_in = [](int) { return unauthorized(); };
  settings_.url = "http://localhost:" + std::to_string(server_.port());
  SourceSettings spelt_otherwise = settings_;
  spelt_otherwise.url = "http://LocalHost:" + std::to_string(server_.port());
  std::vector<std::unique_ptr<ApiClient>> sources;
  for (int i = 0; i < 10; ++i) {
    const SourceSettings& settings = i % 2 == 0 ? settings_ : spelt_otherwise;
    sources.push_back(std::make_unique<ApiClient>(io_, http_, settings, random_, manners_));
  }
  std::vector<Got> got(sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    asio::co_spawn(io_, sources[i]->get("/api/v1/sessions"),
                   [&got, i](std::exception_ptr failed, Result<HttpAnswer> answered) {
                     if (!failed) got[i] = std::move(answered);
                   });
  }
  run_until([&] { return std::all_of(got.begin(), got.end(), [](const Got& each) { return each.has_value(); }); });
  EXPECT_EQ(desk_.logins, 1);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    EXPECT_THAT(got[i]->error().detail, HasSubstr("the credentials were refused"));
    EXPECT_TRUE(sources[i]->is_parked()) << i;
  }
  std::ofstream(password_.path()) << "changed";
  EXPECT_TRUE(get().front()->has_error());
  EXPECT_EQ(desk_.logins, 2) << "another password is tried at once";
}

// A daemon that is killed and started in a loop would log in each time.
TEST_F(ApiClientTest, KeepsItsDistanceFromTheLoginOfARunThatWasKilled) {
  const TemporaryFile file("");
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  for (int run = 0; run < 3; ++run) {
    Accounts accounts(file.path());
    manners_.accounts = &accounts;
    EXPECT_EQ(get().front()->has_value(), run == 0);
    api_.reset();
  }
  EXPECT_EQ(desk_.logins, 1);
}

TEST_F(ApiClientTest, AfterARunThatLoggedOutTheNextOneLogsInAtOnce) {
  const TemporaryFile file("");
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  for (int run = 0; run < 3; ++run) {
    Accounts accounts(file.path());
    manners_.accounts = &accounts;
    EXPECT_TRUE(get().front()->has_value());
    api().stop();
    log_out();
    api_.reset();
  }
  EXPECT_EQ(desk_.logins, 3);
}

// One of two sources of an account is removed, then the daemon is killed: the token of the other is left there.
TEST_F(ApiClientTest, KeepsItsDistanceWhileAnotherSourceOfTheAccountHoldsAToken) {
  const TemporaryFile file("");
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  {
    Accounts accounts(file.path());
    manners_.accounts = &accounts;
    EXPECT_TRUE(get().front()->has_value());
    const std::unique_ptr<ApiClient> other = std::move(api_);
    EXPECT_TRUE(get().front()->has_value());
    api().stop();
    log_out();
    api_.reset();
  }
  Accounts accounts(file.path());
  manners_.accounts = &accounts;
  EXPECT_TRUE(get().front()->has_error());
  EXPECT_EQ(desk_.logins, 2);
}

// Of a command that keeps nothing: there is no next try.
TEST_F(ApiClientTest, InOnePassNoNextTryIsPromised) {
  manners_ = {.held_back = HeldBack::kFails};
  desk_.log_in = [](int) { return unauthorized(); };
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(error_of_get().detail, testing::EndsWith("; correct the account or its secret, then try again"));
}

TEST_F(ApiClientTest, InOnePassALoginThatFailedIsNotRepeated) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  desk_.log_in = [](int) { return Reply(answer(R"({"error":"wrong version"})", {}, "400 Bad Request")); };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(error_of_get().detail, HasSubstr("wrong api_version?: wrong version"));
  EXPECT_EQ(desk_.logins, 1);
}

// Not that it may not log in again so soon.
TEST_F(ApiClientTest, InOnePassTheReasonOfALoginThatFailedIsKept) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  desk_.log_in = [](int) {
    return Reply(answer(R"({"message":"Database is read-only"})", {}, "503 Service Unavailable"));
  };
  for (int i = 0; i < 3; ++i) {
    const Error error = error_of_get();
    EXPECT_EQ(error.kind, ErrorKind::kTryLater);
    EXPECT_EQ(error.detail, "token request: HTTP 503: Database is read-only");
    EXPECT_EQ(error.remedy, "look at the appliance's own log");
  }
  EXPECT_EQ(desk_.logins, 1);
}

TEST_F(ApiClientTest, WhoWaitsForALoginLearnsWhyItFailed) {
  desk_.log_in = [](int) { return Reply(answer("", {}, "503 Service Unavailable")); };
  for (const Got& each : get(5)) EXPECT_THAT(each->error().detail, HasSubstr("HTTP 503"));
}

TEST_F(ApiClientTest, TellsUntilWhenARefusedCredentialIsHeldBack) {
  EXPECT_FALSE(api().waits());
  desk_.log_in = [](int) { return unauthorized(); };
  EXPECT_TRUE(get().front()->has_error());
  const auto waits = api().waits();
  ASSERT_TRUE(waits);
  EXPECT_EQ(waits->what, WaitingFor::kParked);
  EXPECT_GT(waits->until, SteadyClock::now() + std::chrono::minutes(14));
  EXPECT_LE(waits->until, SteadyClock::now() + Parking::kSpan);
}

// That is a word on the token, where a 401 to one request may be one on the request.
TEST_F(ApiClientTest, APageToLogInIsTheReactionToANewTokenAtOnceAndOnce) {
  manners_.between_logins = std::chrono::hours(1);
  const auto to_log_in = [] { return Reply(answer("", {"Location: /login?back=x"}, "302 Found")); };
  get();
  desk_.instead = [&](const std::string& target) -> std::optional<Reply> {
    if (target == "/sessions/a" && desk_.refreshes == 0) return to_log_in();
    if (target == "/sessions/b") return to_log_in();
    return std::nullopt;
  };
  EXPECT_TRUE(get_from("/sessions/a").has_value());
  EXPECT_EQ(desk_.refreshes, 1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get_from("/sessions/b").error().http_status, 302);
  EXPECT_EQ(desk_.refreshes, 1) << "the next one is not due";
  EXPECT_EQ(desk_.logins, 1);
}

TEST_F(ApiClientTest, ALoginThatIsNotTakenIsNotTakenForARefusedPassword) {
  desk_.log_in = [](int number) {
    if (number > 1) return Reply(grant(number));
    return Reply(answer(R"({"message":"EULA not accepted"})", {}, "400 Bad Request"));
  };
  const Error error = error_of_get();
  EXPECT_THAT(error.detail, HasSubstr("says nothing of the password"));
  EXPECT_THAT(error.detail, HasSubstr("EULA not accepted"));
  EXPECT_FALSE(api().is_parked());
  EXPECT_TRUE(get().front()->has_value());
}

TEST_F(ApiClientTest, AVersionThatIsRefusedIsNotTakenForARefusedPassword) {
  desk_.log_in = [](int number) {
    if (number > 1) return Reply(grant(number));
    return Reply(answer(R"({"title":"Bad Request","errorCode":"unsupportedApiVersion"})", {}, "400 Bad Request"));
  };
  EXPECT_THAT(error_of_get().detail, HasSubstr("wrong api_version?"));
  EXPECT_TRUE(get().front()->has_value());
}

}  // namespace
}  // namespace sessionlogd
