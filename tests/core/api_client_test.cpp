#include "core/api_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <fstream>
#include <functional>
#include <mutex>

#include "config/load.h"
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

  std::atomic<int> logins = 0, refreshes = 0, gets = 0;
  std::vector<std::string> refresh_forms, returned;

  Reply operator()(const Request& request) {
    const std::string_view authorization = request[boost::beast::http::field::authorization];
    const std::string bearer(authorization.substr(std::min<std::size_t>(authorization.size(), 7)));
    if (request.target() != "/api/v1/token") {
      ++gets;
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
    if (!api_) api_ = std::make_unique<ApiClient>(io_, http_, settings_, random_);
    return *api_;
  }

  void start(Got& got) {
    asio::co_spawn(io_, api().get("/api/v1/sessions"), [&got](std::exception_ptr failed, Result<HttpAnswer> answered) {
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

  Desk desk_;
  TestServer server_{[this](const Request& request) { return desk_(request); }};
  TemporaryFile password_{"secret\n"};
  SourceSettings settings_;
  asio::io_context io_{1};
  HttpClient http_{io_};
  std::mt19937_64 random_{1};
  std::unique_ptr<ApiClient> api_;
  std::size_t most_in_flight_ = 0;
};

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

TEST_F(ApiClientTest, AFixedTokenIsNeverRenewed) {
  const TemporaryFile token("fixed\n");
  settings_.password.reset();
  settings_.token = Secret::parse("file:" + token.path());
  std::string bearer;
  desk_.serve = [&](const std::string& carried) {
    bearer = carried;
    return unauthorized();
  };
  EXPECT_EQ(error_of_get().http_status, 401);
  EXPECT_EQ(bearer, "fixed");
  EXPECT_EQ(desk_.gets, 1);
  EXPECT_EQ(desk_.logins + desk_.refreshes, 0);
}

TEST_F(ApiClientTest, RetryAfterHoldsBackEverythingOfTheSource) {
  desk_.serve = [](const std::string&) { return Reply(answer("{}", {"Retry-After: 3600"}, "429 Too Many Requests")); };
  EXPECT_EQ(error_of_get().retry_after, std::chrono::hours(1));
  std::vector<Got> later(5);
  for (Got& each : later) start(each);
  io_.restart();
  io_.poll();
  EXPECT_EQ(http_.in_flight(), 0u);
  EXPECT_EQ(api().requests(), 2u);
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
  EXPECT_LE(server_.connections(), 3);
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
  bool ended = false;
  asio::co_spawn(io_, api().log_out(std::chrono::seconds(30)), [&](std::exception_ptr) { ended = true; });
  run_until([&] { return ended; });
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
  EXPECT_EQ(error_of_get().kind, ErrorKind::kBadAnswer);
  desk_.log_in = [](int number) { return Reply(grant(number)); };
  EXPECT_TRUE(get().front()->has_value());
}

TEST_F(ApiClientTest, ALoginThatFailsIsNotRepeatedByThoseWhoWaitedForIt) {
  desk_.log_in = [](int) { return Reply(answer("{}", {}, "500 Internal Server Error")); };
  for (const Got& got : get(10)) EXPECT_EQ(got->error().kind, ErrorKind::kTryLater);
  EXPECT_EQ(desk_.logins, 1);
}

}  // namespace
}  // namespace sessionlogd
