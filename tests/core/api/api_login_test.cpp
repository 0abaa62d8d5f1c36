// A login that is refused, fails, or may not be sent yet; and the sources of one account.
#include <fstream>
#include <thread>

#include "tests/core/api/api_client_fixture.h"

namespace sessionlogd {
namespace {

class ApiLogin : public ApiClientTest {};

TEST_F(ApiLogin, StopEndsALoginInFlight) {
  desk_.log_in = [](int) { return Reply("", Reply::Then::kSilence); };
  std::vector<Got> got(3);
  for (Got& each : got) start(each);
  run_until([&] { return desk_.logins == 1; });
  api().stop();
  run_until([&] { return std::all_of(got.begin(), got.end(), [](const Got& each) { return each.has_value(); }); });
  for (const Got& each : got) EXPECT_TRUE(each->has_error());
  EXPECT_EQ(http_.in_flight(), 0u);
}

TEST_F(ApiLogin, RefusedCredentialsParkTheSourceUntilTheSecretChanges) {
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
TEST_F(ApiLogin, ALoginThatIsAnsweredWithAPageIsTriedAgain) {
  desk_.log_in = [](int) { return Reply(response("<html>starting</html>")); };
  EXPECT_EQ(error_of_get().kind, ErrorKind::kLogInAgain) << "nobody logged in there yet: a wrong url?";
  desk_.log_in = [](int number) { return Reply(grant(number)); };
  EXPECT_TRUE(get().front()->has_value());
  desk_.serve = [](const std::string&) { return unauthorized(); };
  desk_.refresh = [](int) { return unauthorized(); };
  desk_.log_in = [](int) { return Reply(response("<html>starting</html>")); };
  EXPECT_EQ(error_of_get().kind, ErrorKind::kTryLater);
}

TEST_F(ApiLogin, ALoginThatFailsIsNotRepeatedByThoseWhoWaitedForIt) {
  desk_.log_in = [](int) { return Reply(response("{}", {}, "500 Internal Server Error")); };
  for (const Got& got : get(10)) EXPECT_EQ(got->error().kind, ErrorKind::kTryLater);
  EXPECT_EQ(desk_.logins, 1);
}

// Nothing is known of the session then: an ended one that cannot be read is given up after a while.
TEST_F(ApiLogin, ALoginsFailureIsNotTakenForTheRequests) {
  struct Case {
    std::string status;
    ErrorKind kind;
  };
  for (const Case& c : {Case{"401 Unauthorized", ErrorKind::kLogInAgain}, Case{"404 Not Found", ErrorKind::kLogInAgain},
                        Case{"500 Oh", ErrorKind::kTryLater}, Case{"200 OK", ErrorKind::kLogInAgain}}) {
    api_.reset();
    desk_.log_in = [&](int) { return Reply(response("<html>", {}, c.status)); };
    const Error error = error_of_get();
    EXPECT_EQ(error.kind, c.kind) << c.status;
    EXPECT_EQ(error.http_status, 0) << c.status;
  }
}

TEST_F(ApiLogin, LogsInAtMostOnceInThirtySeconds) {
  manners_ = {.held_back = HeldBack::kFails};
  settings_.poll.timeout = std::chrono::seconds(5);
  desk_.refresh = [](int) { return unauthorized(); };
  get();
  desk_.serve = [](const std::string&) { return unauthorized(); };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(error_of_get().kind, ErrorKind::kTryLater);
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_THAT(error_of_get().detail, HasSubstr("at most one login in 30 s"));
}

TEST_F(ApiLogin, ALoginThatMayNotBeSentYetIsWaitedForAndServesAll) {
  manners_.between_logins = std::chrono::milliseconds(50);
  desk_.refresh = [](int) { return unauthorized(); };
  std::string accepted = "access-1";
  desk_.serve = [&](const std::string& bearer) -> Reply {
    return bearer == accepted ? Reply(response("{}")) : unauthorized();
  };
  get();
  accepted = "access-3";  // the refusal took a number
  for (const Got& got : get(5)) EXPECT_TRUE(got->has_value());
  EXPECT_EQ(desk_.logins, 2);
}

TEST_F(ApiLogin, ALoginThatCouldNotConnectMayBeTriedAgainAtOnce) {
  manners_ = {.held_back = HeldBack::kFails};
  settings_.url = "http://127.0.0.1:1";
  EXPECT_THAT(error_of_get().detail, HasSubstr("cannot connect"));
  EXPECT_THAT(error_of_get().detail, HasSubstr("cannot connect"));
}

// libcurl sends again what fails on a connection that was used before: not this.
TEST_F(ApiLogin, ALoginIsSentOnceThoughItsConnectionBreaks) {
  get();
  desk_.refresh = [](int) { return unauthorized(); };
  desk_.serve = [](const std::string&) { return unauthorized(); };
  desk_.log_in = [](int) { return Reply("", Reply::Then::kReset); };
  EXPECT_EQ(error_of_get().kind, ErrorKind::kTryLater);
  EXPECT_EQ(desk_.logins, 2);
}

// It would say the same again, half a minute later.
TEST_F(ApiLogin, OnePassDoesNotWaitForTheLoginAfterOneThatFailed) {
  manners_.held_back = HeldBack::kFails;
  manners_.between_logins = settings_.poll.timeout / 2;
  desk_.log_in = [](int) { return Reply(response("", {}, "500 Internal Server Error")); };
  EXPECT_THAT(error_of_get().detail, HasSubstr("HTTP 500"));
  EXPECT_THAT(error_of_get().detail, HasSubstr("HTTP 500"));
  EXPECT_EQ(desk_.logins, 1);
}

TEST_F(ApiLogin, SourcesOfOneAccountSendARefusedPasswordOnce) {
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
                   [&got, i](std::exception_ptr failed, Result<HttpResponse> answered) {
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
TEST_F(ApiLogin, KeepsItsDistanceFromTheLoginOfARunThatWasKilled) {
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

TEST_F(ApiLogin, AfterARunThatLoggedOutTheNextOneLogsInAtOnce) {
  const TemporaryFile file("");
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  for (int run = 0; run < 3; ++run) {
    Accounts accounts(file.path());
    manners_.accounts = &accounts;
    EXPECT_TRUE(get().front()->has_value());
    leave();
  }
  EXPECT_EQ(desk_.logins, 3);
}

// As a partition does that goes from one member of a group to another and back.
class ApiLoginLeft : public ApiLogin {
 protected:
  // The next api() is another one; this one waits until it is to hand its token back.
  bool leave_for_now() {
    api().stop();
    const bool is_left = api().leave_login().has_value();
    gone_.push_back(std::move(api_));
    return is_left;
  }
  void all_log_out() {
    for (const auto& api : gone_) log_out(*api, std::chrono::seconds(30));
  }

  Accounts accounts_{""};
  std::vector<std::unique_ptr<ApiClient>> gone_;
};

TEST_F(ApiLoginLeft, IsTakenByTheSameSourceWhichGoesOnWithItsToken) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1), .accounts = &accounts_};
  for (int stay = 0; stay < 10; ++stay) {
    EXPECT_TRUE(get().front()->has_value());
    EXPECT_TRUE(leave_for_now());
  }
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_THAT(desk_.returned, testing::IsEmpty());
  all_log_out();
  EXPECT_THAT(desk_.returned, testing::ElementsAre("access-1")) << "by who was there last";
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_EQ(desk_.logins, 2) << "nothing is left";
}

TEST_F(ApiLoginLeft, IsNotHandedBackByWhoLeftItOnceItIsTaken) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1), .accounts = &accounts_};
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_TRUE(leave_for_now());
  EXPECT_TRUE(get().front()->has_value());
  all_log_out();
  EXPECT_THAT(desk_.returned, testing::IsEmpty());
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_EQ(desk_.logins, 1);
}

TEST_F(ApiLoginLeft, IsNotTakenForAnotherAccount) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1), .accounts = &accounts_};
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_TRUE(leave_for_now());
  settings_.username = "another";
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_EQ(desk_.logins, 2);
  all_log_out();
  EXPECT_THAT(desk_.returned, testing::ElementsAre("access-1"));
}

TEST_F(ApiLoginLeft, IsNothingWhereItCanLogInAgainAtOnce) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::milliseconds(0), .accounts = &accounts_};
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_FALSE(leave_for_now());
  all_log_out();
  EXPECT_EQ(desk_.returned.size(), 1u);
}

TEST_F(ApiLoginLeft, HoldsTheSourceToItsLastLoginWithoutATokenToo) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1), .accounts = &accounts_};
  desk_.log_in = [](int) { return response("{}", {}, "503 Service Unavailable"); };
  for (int stay = 0; stay < 2; ++stay) {
    EXPECT_TRUE(get().front()->has_error());
    EXPECT_TRUE(leave_for_now());
  }
  EXPECT_EQ(desk_.logins, 1);
}

// The appliance has ended it meanwhile: what came before counts for the next login, too.
TEST_F(ApiLoginLeft, HoldsTheSourceToItsLastLoginWhereTheTokenHasDied) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1), .accounts = &accounts_};
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_TRUE(leave_for_now());
  desk_.serve = [](const std::string&) { return unauthorized(); };
  EXPECT_TRUE(get().front()->has_error());
  EXPECT_EQ(desk_.logins, 1);
}

// What it left before is still to be handed back.
TEST_F(ApiLoginLeft, IsKeptForEachAccountOfASource) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1), .accounts = &accounts_};
  for (const char* user : {"collector", "another"}) {
    settings_.username = user;
    EXPECT_TRUE(get().front()->has_value());
    EXPECT_TRUE(leave_for_now());
  }
  all_log_out();
  EXPECT_THAT(desk_.returned, testing::ElementsAre("access-1", "access-2"));
}

TEST_F(ApiLoginLeft, IsRefreshedWhereItsTokenHasEnded) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1), .accounts = &accounts_};
  desk_.log_in = [](int number) { return grant(number, R"(,"expires_in":1)"); };
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_TRUE(leave_for_now());
  std::this_thread::sleep_for(std::chrono::milliseconds(1'100));
  EXPECT_TRUE(get().front()->has_value());
  EXPECT_EQ(desk_.logins, 1);
  EXPECT_EQ(desk_.refreshes, 1);
}

TEST_F(ApiLoginLeft, DoesNotHoldBackAPasswordThatWasMended) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1), .accounts = &accounts_};
  desk_.log_in = [](int) { return unauthorized(); };
  EXPECT_TRUE(get().front()->has_error());
  EXPECT_TRUE(leave_for_now());
  std::ofstream(password_.path()) << "mended\n";
  desk_.log_in = [](int number) { return Reply(grant(number)); };
  EXPECT_TRUE(get().front()->has_value());
}

// One of two sources of an account is removed, then the daemon is killed: the token of the other is left there.
TEST_F(ApiLogin, KeepsItsDistanceWhileAnotherSourceOfTheAccountHoldsAToken) {
  const TemporaryFile file("");
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  {
    Accounts accounts(file.path());
    manners_.accounts = &accounts;
    EXPECT_TRUE(get().front()->has_value());
    const std::unique_ptr<ApiClient> other = std::move(api_);
    EXPECT_TRUE(get().front()->has_value());
    leave();
  }
  Accounts accounts(file.path());
  manners_.accounts = &accounts;
  EXPECT_TRUE(get().front()->has_error());
  EXPECT_EQ(desk_.logins, 2);
}

// Of a command that keeps nothing: there is no next try.
TEST_F(ApiLogin, InOnePassNoNextTryIsPromised) {
  manners_ = {.held_back = HeldBack::kFails};
  desk_.log_in = [](int) { return unauthorized(); };
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(error_of_get().detail, testing::EndsWith("; correct the account or its secret, then try again"));
}

TEST_F(ApiLogin, InOnePassALoginThatFailedIsNotRepeated) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  desk_.log_in = [](int) { return Reply(response(R"({"error":"wrong version"})", {}, "400 Bad Request")); };
  for (int i = 0; i < 3; ++i) EXPECT_THAT(error_of_get().detail, HasSubstr("wrong api_version?: wrong version"));
  EXPECT_EQ(desk_.logins, 1);
}

// Not that it may not log in again so soon.
TEST_F(ApiLogin, InOnePassTheReasonOfALoginThatFailedIsKept) {
  manners_ = {.held_back = HeldBack::kFails, .between_logins = std::chrono::hours(1)};
  desk_.log_in = [](int) {
    return Reply(response(R"({"message":"Database is read-only"})", {}, "503 Service Unavailable"));
  };
  for (int i = 0; i < 3; ++i) {
    const Error error = error_of_get();
    EXPECT_EQ(error.kind, ErrorKind::kTryLater);
    EXPECT_EQ(error.detail, "token request: HTTP 503: Database is read-only");
    EXPECT_EQ(error.remedy, "look at the appliance's own log");
  }
  EXPECT_EQ(desk_.logins, 1);
}

TEST_F(ApiLogin, WhoWaitsForALoginLearnsWhyItFailed) {
  desk_.log_in = [](int) { return Reply(response("", {}, "503 Service Unavailable")); };
  for (const Got& each : get(5)) EXPECT_THAT(each->error().detail, HasSubstr("HTTP 503"));
}

TEST_F(ApiLogin, TellsUntilWhenARefusedCredentialIsHeldBack) {
  EXPECT_FALSE(api().waits());
  desk_.log_in = [](int) { return unauthorized(); };
  EXPECT_TRUE(get().front()->has_error());
  const auto waits = api().waits();
  ASSERT_TRUE(waits);
  EXPECT_EQ(waits->what, WaitingFor::kParked);
  EXPECT_GT(waits->until, SteadyClock::now() + std::chrono::minutes(14));
  EXPECT_LE(waits->until, SteadyClock::now() + Parking::kSpan);
}

TEST_F(ApiLogin, ALoginThatIsNotTakenIsNotTakenForARefusedPassword) {
  desk_.log_in = [](int number) {
    if (number > 1) return Reply(grant(number));
    return Reply(response(R"({"message":"EULA not accepted"})", {}, "400 Bad Request"));
  };
  const Error error = error_of_get();
  EXPECT_THAT(error.detail, HasSubstr("says nothing of the password"));
  EXPECT_THAT(error.detail, HasSubstr("EULA not accepted"));
  EXPECT_FALSE(api().is_parked());
  EXPECT_TRUE(get().front()->has_value());
}

TEST_F(ApiLogin, AVersionThatIsRefusedIsNotTakenForARefusedPassword) {
  desk_.log_in = [](int number) {
    if (number > 1) return Reply(grant(number));
    return Reply(response(R"({"title":"Bad Request","errorCode":"unsupportedApiVersion"})", {}, "400 Bad Request"));
  };
  EXPECT_THAT(error_of_get().detail, HasSubstr("wrong api_version?"));
  EXPECT_TRUE(get().front()->has_value());
}

}  // namespace
}  // namespace sessionlogd
