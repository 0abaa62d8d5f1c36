// A source's token: who gets one, for how many requests, and what a refusal of it brings.
#include <fstream>
#include <set>

#include "tests/core/api/api_client_fixture.h"

namespace sessionlogd {
namespace {

class ApiToken : public ApiClientTest {};

TEST_F(ApiToken, LogsInOnceForManyRequests) {
  for (const Got& got : get(20)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_EQ(desk_.gets, 20);
}

TEST_F(ApiToken, RefreshesOnceForManyRequestsWhoseTokenWasRefused) {
  get();
  desk_.serve = [](const std::string& bearer) -> Reply {
    return bearer == "access-1" ? unauthorized() : Reply(response("{}"));
  };
  for (const Got& got : get(20)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_EQ(desk_.refreshes, 1);
  EXPECT_THAT(desk_.refresh_forms, testing::ElementsAre(HasSubstr("refresh_token=refresh-1")));
}

TEST_F(ApiToken, UsesEachRefreshTokenOnce) {
  std::string accepted = "access-1";
  desk_.serve = [&](const std::string& bearer) -> Reply {
    return bearer == accepted ? Reply(response("{}")) : unauthorized();
  };
  for (int i = 2; i < 5; ++i) {
    get(5);
    accepted = "access-" + std::to_string(i);
  }
  get(5);
  EXPECT_THAT(desk_.refresh_forms,
              testing::ElementsAre(HasSubstr("=refresh-1"), HasSubstr("=refresh-2"), HasSubstr("=refresh-3")));
}

TEST_F(ApiToken, LogsInWhenTheRefreshTokenIsRefused) {
  get();
  desk_.serve = [](const std::string& bearer) -> Reply {
    return bearer == "access-1" ? unauthorized() : Reply(response("{}"));
  };
  desk_.refresh = [](int) { return Reply(response("{}", {}, "400 Bad Request")); };
  for (const Got& got : get(10)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.refreshes, 1);
  EXPECT_EQ(desk_.logins, 2);
}

TEST_F(ApiToken, TriesARequestOnceMoreAfter401) {
  desk_.serve = [](const std::string&) { return unauthorized(); };
  const Error error = error_of_get();
  EXPECT_EQ(error.http_status, 401);
  EXPECT_EQ(desk_.gets, 2);
}

// With its reading end in a file, as a secret has it.
class FixedToken : public ApiToken {
 protected:
  FixedToken() {
    settings_.password.reset();
    settings_.token = Secret::parse("file:" + token_.path());
    desk_.serve = [this](const std::string& bearer) -> Reply {
      return bearer == accepted_ ? Reply(response("{}")) : unauthorized();
    };
  }

  TemporaryFile token_{"first\n"};
  std::string accepted_ = "first";
};

TEST_F(FixedToken, NeverLogsIn) {
  for (const Got& got : get(5)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.logins + desk_.refreshes, 0);
}

TEST_F(FixedToken, IsParkedWhenItIsRefusedUntilTheFileChanges) {
  accepted_ = "second";
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kLogInAgain);
  EXPECT_THAT(error.detail, HasSubstr("the token was refused"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(error_of_get().detail, error.detail);
  EXPECT_EQ(desk_.gets, 1);
  std::ofstream(token_.path()) << "second\n";
  EXPECT_TRUE(get().front()->has_value());
}

TEST_F(FixedToken, TakesAChangedFileUpAtTheFirstRefusal) {
  EXPECT_TRUE(get().front()->has_value());
  std::ofstream(token_.path()) << "second\n";
  EXPECT_TRUE(get().front()->has_value()) << "the old one still works";
  accepted_ = "second";
  for (const Got& got : get(4)) EXPECT_TRUE(got->has_value());
}

TEST_F(FixedToken, SaysThatItsFileCannotBeRead) {
  api();
  accepted_ = "second";
  std::ofstream(token_.path(), std::ios::trunc);
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kLogInAgain);
  EXPECT_THAT(error.detail, HasSubstr("is empty"));
}

TEST_F(ApiToken, HandsTheTokenBackAtStop) {
  get();
  api().stop();
  EXPECT_EQ(error_of_get().kind, ErrorKind::kCancelled);
  log_out();
  EXPECT_THAT(desk_.returned, testing::ElementsAre("access-1"));
}

TEST_F(ApiToken, SaysOnceThatAnotherClientUsesTheAccount) {
  desk_.log_in = [](int number) { return Reply(grant(number, R"(,"expires_in":3600)")); };
  desk_.refresh = [](int) { return unauthorized(); };
  // Each token lives for one request.
  std::set<std::string> used;
  desk_.serve = [&](const std::string& bearer) -> Reply {
    return used.insert(bearer).second ? Reply(response("{}")) : unauthorized();
  };
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(get().front()->has_value());
  EXPECT_EQ(desk_.logins, 10);
  EXPECT_EQ(log_.count("another client seems to use this account"), 1);
}

TEST_F(ApiToken, AnExpiredTokenIsReplacedWhateverItsStatus) {
  for (const Reply& refusal : {Reply(response(R"({"message":"The token has expired"})", {}, "403 Forbidden")),
                               Reply(response("", {"Location: /login"}, "302 Found"))}) {
    api_.reset();
    desk_.logins = desk_.refreshes = 0;
    desk_.serve = [&](const std::string& bearer) -> Reply {
      return bearer == "access-1" && desk_.refreshes == 0 && desk_.logins == 1 ? refusal : Reply(response("{}"));
    };
    EXPECT_TRUE(get().front()->has_value());
    EXPECT_EQ(desk_.refreshes + desk_.logins, 2) << "one of each";
  }
}

// Each new token would end the one that other requests, or other programs of this account, use.
TEST_F(ApiToken, ARequestThatIsAlwaysUnauthorizedBringsOneNewToken) {
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

TEST_F(ApiToken, ManyThatAreUnauthorizedBringNoMoreTokensThanLogins) {
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

// That is a word on the token, where a 401 to one request may be one on the request.
TEST_F(ApiToken, APageToLogInIsTheReactionToANewTokenAtOnceAndOnce) {
  manners_.between_logins = std::chrono::hours(1);
  const auto to_log_in = [] { return Reply(response("", {"Location: /login?back=x"}, "302 Found")); };
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

}  // namespace
}  // namespace sessionlogd
