// A source's requests: how many at once, what stops them, and what is said of those that fail. Its tokens and logins
// have files of their own.
#include <array>
#include <ctime>

#include "tests/core/api/api_client_fixture.h"

namespace sessionlogd {
namespace {

TEST_F(ApiClientTest, CannotBeMadeWithTlsFilesThatHaveGone) {
  for (const auto file : {&TlsSettings::ca_file, &TlsSettings::cert_file, &TlsSettings::key_file}) {
    settings_.tls = {};
    settings_.tls.*file = "/nonexistent/file.pem";
    EXPECT_THAT([&] { api(); },
                testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("/nonexistent/file.pem")));
  }
}

TEST_F(ApiClientTest, RetryAfterHoldsBackEverythingOfTheSource) {
  desk_.serve = [](const std::string&) {
    return Reply(response("{}", {"Retry-After: 3600"}, "429 Too Many Requests"));
  };
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

// Another process may own the source by now.
TEST_F(ApiClientTest, SendsNothingWhileItMustWait) {
  bool must_wait = true, must_wait_to_log_out = false;
  manners_.must_wait = [&](bool to_log_out) { return to_log_out ? must_wait_to_log_out : must_wait; };
  Got got;
  start(got);
  run_for_some_turns();
  EXPECT_EQ(api().requests().total(), 0u) << "no login, either";
  must_wait = false;
  run_until([&] { return got.has_value(); });
  EXPECT_TRUE(got->has_value());
  EXPECT_EQ(api().requests().total(), 2u);
  must_wait = must_wait_to_log_out = true;
  start(got);
  run_for_some_turns();
  EXPECT_EQ(api().requests().total(), 2u);
  api().stop();
  log_out(std::chrono::milliseconds(1));
  EXPECT_TRUE(desk_.returned.empty());
}

TEST_F(ApiClientTest, HandsItsTokenBackAlthoughNothingElseMayBeSent) {
  bool must_wait = false;
  manners_.must_wait = [&](bool to_log_out) { return must_wait && !to_log_out; };
  EXPECT_TRUE(get().front()->has_value());
  must_wait = true;
  api().stop();
  log_out();
  EXPECT_EQ(desk_.returned.size(), 1u);
}

TEST_F(ApiClientTest, NeverHasMoreInFlightThanConnections) {
  settings_.poll.connections = 3;
  desk_.serve = [](const std::string&) { return Reply("", Reply::Then::kKeepAlive, response("{}")); };
  std::vector<Got> got(20);
  for (Got& each : got) start(each);
  run_until([&] { return desk_.gets == 3; });
  server_.let_go();
  run_until([&] { return std::all_of(got.begin(), got.end(), [](const Got& each) { return each.has_value(); }); });
  EXPECT_EQ(most_in_flight_, 3u);
}

TEST_F(ApiClientTest, ARedirectIsAnError) {
  desk_.serve = [this](const std::string&) {
    return Reply(response("", {"Location: " + server_.url() + "/elsewhere"}, "302 Found"));
  };
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_EQ(error.http_status, 302);
  EXPECT_EQ(desk_.gets, 1);
}

// ---- The breaker

std::optional<Reply> fail_one_session(const std::string& target) {
  if (target != "/sessions/bad") return std::nullopt;
  return Reply(response("", {}, "500 Internal Server Error"));
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
    return Reply(response(R"({"title":"Database is read-only"})", {}, "503 Service Unavailable"));
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
    return Reply(response("", {}, "500 Internal Server Error"));
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
  desk_.log_in = [](int) { return Reply(response("{}", {"Retry-After: 3600"}, "429 Too Many Requests")); };
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
  desk_.serve = [](const std::string&) {
    return Reply(response("{}", {"Retry-After: 3600"}, "429 Too Many Requests"));
  };
  EXPECT_EQ(error_of_get().retry_after, std::chrono::hours(1));
  const Error later = get_from("/sessions/a").error();
  EXPECT_EQ(later.kind, ErrorKind::kTryLater);
  EXPECT_FALSE(later.sent);
  EXPECT_THAT(later.detail, HasSubstr("Retry-After"));
  EXPECT_GT(later.retry_after, std::chrono::minutes(50)) << "whoever asks knows that there is nothing to wait for";
  EXPECT_EQ(desk_.gets, 1);
}

// Nothing that still waits for a connection may be sent once the source asked to be left alone.
TEST_F(ApiClientTest, ARetryAfterTakesBackWhatWasNotSentYet) {
  get();
  desk_.serve = [](const std::string&) {
    return Reply(response("{}", {"Retry-After: 3600"}, "429 Too Many Requests"));
  };
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

TEST_F(ApiClientTest, ARetryAfterCountsBeforeTheRestOfItsResponseIsThere) {
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
  desk_.serve = [](const std::string&) {
    return Reply(response("{}", {"Retry-After: 60"}, "503 Service Unavailable"));
  };
  get();
  api().stop();
  log_out();
  EXPECT_THAT(desk_.returned, testing::IsEmpty());
}

TEST_F(ApiClientTest, ARefusalWithoutATimeSlowsTheSourceDownUntilSomethingIsServed) {
  get();
  int refused = 0;
  desk_.serve = [&](const std::string&) -> Reply {
    if (++refused <= 2) return response("{}", {"Retry-After: 0"}, "429 Too Many Requests");
    return response("{}");
  };
  EXPECT_EQ(error_of_get().http_status, 429);
  EXPECT_EQ(error_of_get().http_status, 429);
  EXPECT_TRUE(get().front()->has_value());
}

// ---- What is said

TEST_F(ApiClientTest, SaysOnceThatTheClockIsWrongHoweverOftenItComesAndGoes) {
  const auto dated = [](const char* date) { return response("{}", {std::string("Date: ") + date}); };
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

TEST_F(ApiClientTest, AResponseThatRepeatsTheSecretIsNotQuoted) {
  for (const char* echo : {R"({"message":"no: password=secret"})", R"({"detail":"Basic Y29sbGVjdG9yOnNlY3JldA=="})",
                           R"({"title":"p\u0061ssword=%73ecret"})"}) {
    api_.reset();
    desk_.log_in = [&](int) { return Reply(response(echo, {}, "401 Unauthorized")); };
    EXPECT_THAT(error_of_get().detail, HasSubstr("repeats the secret")) << echo;
  }
}

TEST_F(ApiClientTest, OfASourceThatOnceRepeatedASecretNothingIsQuotedOrKept) {
  desk_.serve = [&](const std::string&) {
    const char* echo = desk_.gets == 2 ? R"({"message":"you sent s&#101;cret"})" : R"({"message":"out of order"})";
    return Reply(response(echo, {}, "403 Forbidden"));
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
  const auto refused = [](const std::string& body) { return Reply(response(body, {}, "403 Forbidden")); };
  const std::string before(190, 'y');
  const std::string challenge =
      "WWW-Authenticate: Bearer error=\"x\", error_description=\"" + before + "hunter2secret\"";
  for (const std::string& detail : {
           quotes_it(Reply(response(far + "login with hunter2secret failed\"}", {}, "401 Unauthorized")), none),
           quotes_it(Reply(response(far + before + "hunter2secret\"}", {}, "401 Unauthorized")), none),
           quotes_it(none, refused(far + before + "hunter2secret\"}")),
           quotes_it(none, Reply(response("", {challenge}, "403 Forbidden"))),
           quotes_it(Reply(response("", {challenge}, "401 Unauthorized")), none),
       }) {
    EXPECT_THAT(detail, HasSubstr("HTTP 40"));
    EXPECT_THAT(detail, testing::Not(HasSubstr("hunter2"))) << detail;
  }
}

TEST_F(ApiClientTest, QuotesWhyARequestWasRefused) {
  desk_.serve = [](const std::string&) {
    return Reply(response(R"({"error":{"code":"Forbidden","message":"EULA not accepted"}})", {}, "403 Forbidden"));
  };
  EXPECT_THAT(error_of_get().detail,
              HasSubstr("HTTP 403 to /api/v1/sessions: the account may not read it: EULA not accepted, Forbidden"));
}

TEST_F(ApiClientTest, APartIsNotTakenForTheWhole) {
  desk_.serve = [](const std::string&) { return Reply(response("{}", {}, "206 Partial Content")); };
  const Error error = error_of_get();
  EXPECT_EQ(error.kind, ErrorKind::kBadResponse);
  EXPECT_THAT(error.detail, HasSubstr("HTTP 206"));
}

TEST_F(ApiClientTest, SaysWhereARedirectLeads) {
  const auto redirected_to = [this](const std::string& where) {
    api_.reset();
    desk_.serve = [where](const std::string&) { return Reply(response("", {"Location: " + where}, "302 Found")); };
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

}  // namespace
}  // namespace sessionlogd
