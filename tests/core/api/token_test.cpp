#include "core/api/token.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "core/api/refusal.h"
#include "tests/core/steady_now.h"
#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

bool anything(std::string_view) { return true; }

Result<Grant> read(const Dialect& dialect, int status, std::string_view body, const MayQuote& may_quote = anything) {
  return read_grant(dialect, {.status = status, .body = body, .www_authenticate = {}, .location = {}}, may_quote);
}

Grant grant_of(std::string_view body) { return read(Dialect{}, 200, body).value(); }

TEST(ReadGrant, ReadsTheTokensAndTheirLife) {
  const Grant grant = grant_of(R"({"access_token":"abc","token_type":"bearer","refresh_token":"def","expires_in":3600,
      ".issued":"2021-01-01T00:00:00Z",".expires":"2021-01-01T01:00:00Z","username":"collector",
      "mfa_enabled":false,"mfa_token":null})");
  EXPECT_EQ(grant.access_token, "abc");
  EXPECT_EQ(grant.refresh_token, "def");
  EXPECT_EQ(grant.expires_in, 3600s);
}

TEST(ReadGrant, TakesItsFieldNamesFromTheDialect) {
  Dialect dialect;
  dialect.token.access_token = ".access";
  dialect.token.refresh_token = "renew";
  dialect.token.expires_in = "life";
  const std::string_view body = R"({"access_token":"no",".access":"abc","renew":"def","life":60})";
  const Grant grant = read(dialect, 200, body).value();
  EXPECT_EQ(grant.access_token, "abc");
  EXPECT_EQ(grant.refresh_token, "def");
  EXPECT_EQ(grant.expires_in, 60s);
}

TEST(ReadGrant, UnderstandsEverySpellingOfALife) {
  constexpr seconds kMost = 365 * 24h;
  struct Case {
    std::string_view expires_in;
    seconds life;
  };
  const Case cases[] = {
      {"3600", 3600s},
      {"\"3600\"", 3600s},
      {"3599.5", 3599s},
      {"900 ", 900s},
      {"2147483647", kMost},
      {"18446744073709551616", kMost},
      {"\"99999999999999999999999999\"", kMost},
      // as if it were not said
      {"0", 0s},
      {"-1", 0s},
      {"-99999999999999999999999999", 0s},
      {"\"-5\"", 0s},
      {"\"soon\"", 0s},
      {"\"\"", 0s},
      {"null", 0s},
      {"true", 0s},
      {"[60]", 0s},
      {R"({"seconds":60})", 0s},
  };
  for (const Case& c : cases) {
    const std::string body = R"({"access_token":"abc","expires_in":)" + std::string(c.expires_in) + R"(,"z":1})";
    EXPECT_EQ(grant_of(body).expires_in, c.life) << c.expires_in;
  }
  EXPECT_EQ(grant_of(R"({"access_token":"abc"})").expires_in, 0s);
}

TEST(ReadGrant, IsNotDisturbedByWhatItDoesNotNeed) {
  for (const std::string_view body : {
           R"({"access_token":"abc","refresh_token":null})",
           R"({"x":[{"access_token":"no"}],"access_token":"abc"})",
           R"({"access_token":"abc","access_token":"second"})",
           R"({"access_token":"\u0061bc","odd":123456789012345678901234567890})",
           "\xEF\xBB\xBF{\"access_token\":\"abc\"}\r\n",
       }) {
    const Grant grant = grant_of(body);
    EXPECT_EQ(grant.access_token, "abc") << body;
    EXPECT_EQ(grant.refresh_token, "") << body;
  }
}

TEST(ReadGrant, SaysByItsKindWhatToDo) {
  constexpr auto kRefused = ErrorKind::kRefused;
  constexpr auto kTryLater = ErrorKind::kTryLater;
  constexpr auto kBadResponse = ErrorKind::kBadResponse;
  constexpr std::string_view kHtml = "<!DOCTYPE html><html><body>Sign in</body></html>";
  struct Case {
    int status;
    std::string_view body;
    ErrorKind kind;
    std::string_view says;
  };
  const Case cases[] = {
      {200, R"({"mfa_enabled":true,"mfa_token":"secret"})", kRefused, "multi-factor"},
      {200, R"({"access_token":null,"mfa_token":"secret"})", kRefused, "multi-factor"},
      {200, R"({"mfa_enabled":true})", kRefused, "service account"},
      {200, R"({"access_token":""})", kBadResponse, "no access token"},
      {200, "{}", kBadResponse, "no access token"},
      {200, R"({"error":"invalid_grant","error_description":"the account is locked"})", kRefused,
       "no access token, but: the account is locked, invalid_grant"},
      {202, R"({"mfa_token":"secret"})", kRefused, "multi-factor"},
      {202, "", kRefused, "multi-factor"},
      {200, "", kBadResponse, "wrong url?"},
      {204, "", kBadResponse, "wrong url?"},
      {200, kHtml, kBadResponse, "wrong url?"},
      {202, kHtml, kBadResponse, "wrong url?"},
      {200, "\"abc\"", kBadResponse, "JSON"},
      {200, "[]", kBadResponse, "JSON"},
      {200, "null", kBadResponse, "JSON"},
      {200, "{", kBadResponse, "JSON"},
      {200, R"({"access_token":"abc")", kBadResponse, "JSON"},
      {200, R"({"access_token":"abc"} x)", kBadResponse, "JSON"},
      {200, R"({"access_token":"abc"}{})", kBadResponse, "JSON"},
      {200, R"({"access_token":5})", kBadResponse, "JSON"},
      {200, R"({"access_token":["abc"]})", kBadResponse, "JSON"},
      {200, R"({"access_token":"abc","refresh_token":5})", kBadResponse, "JSON"},
      {200, "{\"access_token\":\"\xFF\"}", kBadResponse, "JSON"},
      {200, R"({"access_token":"\ud800"})", kBadResponse, "JSON"},
      {200, R"({"access_token":"abc\r\nX-Evil: 1"})", kBadResponse, "control"},
      {200, R"({"access_token":"abc\u0000"})", kBadResponse, "control"},
      {200, R"({"access_token":"abc\u007f"})", kBadResponse, "control"},
      {200, R"({"access_token":"abc","refresh_token":"d\nef"})", kBadResponse, "control"},
      {400, R"({"error":7})", kBadResponse, "HTTP 400: the login was not taken"},
      {400, R"({"error":"invalid_grant"})", kRefused, "HTTP 400: the credentials were refused: invalid_grant"},
      {401, "", kRefused, "HTTP 401: the credentials were refused"},
      {401, kHtml, kRefused, "HTTP 401: the credentials were refused"},
      {403, "[1]", kRefused, "HTTP 403: the account may not log in"},
      {401, R"({"errorCode":"AccessDenied","message":"Authentication failed","resourceId":null})", kRefused,
       "refused: Authentication failed, AccessDenied"},
      {400, R"({"type":"x","title":"Bad Request","detail":"no such user","status":400})", kRefused,
       "refused: Bad Request, no such user"},
      {400, R"({"title":"Bad Request","detail":"not this one","errorCode":"unsupportedApiVersion"})", kBadResponse,
       "wrong api_version?"},
      {404, R"({"message":"no such path"})", kBadResponse, "wrong api_version or url?: no such path"},
      {405, "", kBadResponse, "wrong api_version or url?"},
      {406, "", kBadResponse, "wrong api_version or url?"},
      {302, "", kBadResponse, "wrong api_version or url?"},
      {429, "", kTryLater, "HTTP 429"},
      {500, kHtml, kTryLater, "HTTP 500"},
      {503, R"({"message":"starting"})", kTryLater, "HTTP 503: starting"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::Message() << c.status << " " << c.body);
    const Result<Grant> response = read(Dialect{}, c.status, c.body);
    ASSERT_TRUE(response.has_error());
    EXPECT_EQ(response.error().kind, c.kind);
    EXPECT_EQ(response.error().http_status, c.status);
    EXPECT_NE(response.error().detail.find(c.says), std::string::npos) << response.error().detail;
    for (const std::string_view secret : {"secret", "abc", "<html>"}) {
      EXPECT_EQ(response.error().detail.find(secret), std::string::npos) << response.error().detail;
    }
  }
}

std::string reason_of(std::string_view message_as_json) {
  const Result<Grant> response = read(Dialect{}, 401, "{\"message\":\"" + std::string(message_as_json) + "\"}");
  const std::string_view before = "token request: HTTP 401: the credentials were refused: ";
  EXPECT_TRUE(response.error().detail.starts_with(before)) << response.error().detail;
  return response.error().detail.substr(before.size());
}

TEST(ReadGrant, QuotesAReasonThatCannotForgeALine) {
  EXPECT_EQ(reason_of(R"(no\r\nlevel=error\u0000\u001b[31m\u007f\u0085\u009bx)"), "no level=error [31m x");
  EXPECT_EQ(reason_of("Zugriff verweigert \xC3\xA9\xC2\xA0."), "Zugriff verweigert \xC3\xA9\xC2\xA0.");
}

TEST(ReadGrant, CutsAReasonToTwoHundredBytesOfWholeCharacters) {
  EXPECT_EQ(reason_of(std::string(200, 'a')), std::string(200, 'a'));
  EXPECT_EQ(reason_of(std::string(5'000, 'a')), std::string(200, 'a'));
  EXPECT_EQ(reason_of(std::string(199, 'a') + "\xE2\x82\xAC more"), std::string(199, 'a'));
  EXPECT_EQ(reason_of(std::string(197, 'a') + "\xE2\x82\xAC more"), std::string(197, 'a') + "\xE2\x82\xAC");
}

TEST(ReadGrant, AsksAboutAllOfAReasonBeforeItIsCut) {
  const std::string reason = std::string(190, 'y') + std::string(2'000, 's');
  for (const int status : {200, 401}) {
    std::string asked;
    const Result<Grant> response =
        read(Dialect{}, status, "{\"message\":\"" + reason + "\"}", [&](std::string_view whole) {
          asked = whole;
          return false;
        });
    EXPECT_EQ(asked, reason);
    EXPECT_EQ(response.error().detail.find("yyy"), std::string::npos) << response.error().detail;
  }
}

TEST(ReadGrant, RefusesAResponseThatIsTooLargeForAToken) {
  const std::string body = R"({"access_token":")" + std::string(1u << 20, 'a') + "\"}";
  EXPECT_EQ(read(Dialect{}, 200, body).error().kind, ErrorKind::kBadResponse);
}

TEST(ReadGrant, BearsAnyBytes) {
  std::mt19937_64 random(test::random_seed());
  const std::string_view pieces[] = {"{",       "}",       "[", "]",     "\"",   ":",    ",",   "\\",
                                     "\\u0000", "\\ud800", "-", "1e999", "null", "\xC2", "\xFF"};
  const std::string_view whole =
      R"({"access_token":"abc","refresh_token":"def","expires_in":3600,"message":"m","detail":"d\u0085"})";
  for (int run = 0; run < 20'000; ++run) {
    std::string body(whole);
    for (std::uint64_t changes = random() % 4; changes > 0; --changes) {
      body.replace(random() % body.size(), random() % 8, pieces[random() % std::size(pieces)]);
    }
    const int statuses[] = {200, 202, 400, 401};
    const Result<Grant> response = read(Dialect{}, statuses[random() % 4], body);
    if (response) {
      EXPECT_FALSE(response->access_token.empty()) << body;
      EXPECT_GE(response->expires_in, 0s) << body;
    } else {
      const std::string detail = response.error().detail;  // error() returns a copy
      EXPECT_LT(detail.size(), 300u) << body;
      EXPECT_TRUE(std::none_of(detail.begin(), detail.end(), [](char c) { return c >= 0 && c < 0x20; })) << body;
    }
  }
}

TEST(EncodeForm, FillsAndEncodesEveryField) {
  const FormFields form = {{"grant_type", "password"}, {"username", "{username}"}, {"password", "{password}"}};
  EXPECT_EQ(encode_form(form, "DOM\\user", "p&=+ %\xC3\xA9", "unused"),
            "grant_type=password&username=DOM%5Cuser&password=p%26%3D%2B%20%25%C3%A9");
  EXPECT_EQ(encode_form({{"a b", "x{refresh_token}y"}}, "", "", "r/1"), "a%20b=xr%2F1y");
  EXPECT_EQ(encode_form({{"empty", ""}}, "", "", ""), "empty=");
  EXPECT_EQ(encode_form({}, "", "", ""), "");
}

TEST(EncodeForm, NeverFillsWhatItFilledIn) {
  EXPECT_EQ(encode_form({{"u", "{username}"}, {"p", "{password}{other}{"}}, "{password}", "{username}", ""),
            "u=%7Bpassword%7D&p=%7Busername%7D%7Bother%7D%7B");
}

using TokenStep = TokenKeeper::Step;

Grant grant(std::string access, std::string refresh, seconds expires_in) {
  return {.access_token = std::move(access), .refresh_token = std::move(refresh), .expires_in = expires_in};
}

TEST(TokenKeeper, LogsInFirst) {
  EXPECT_EQ(TokenKeeper(true).next(kNow), TokenStep::kLogIn);
  EXPECT_EQ(TokenKeeper(false).next(kNow), TokenStep::kLogIn);
}

TEST(TokenKeeper, RenewsAfterFourFifthsOfALife) {
  struct Case {
    bool can_refresh;
    std::string refresh_token;
    TokenStep renewal;
  };
  const Case cases[] = {
      {true, "r", TokenStep::kRefresh}, {true, "", TokenStep::kLogIn}, {false, "r", TokenStep::kLogIn}};
  for (const Case& c : cases) {
    TokenKeeper keeper(c.can_refresh);
    keeper.granted(grant("a", c.refresh_token, 3600s), kNow);
    EXPECT_EQ(keeper.expires(), kNow + 3600s);
    EXPECT_EQ(keeper.next(kNow), TokenStep::kUse);
    EXPECT_EQ(keeper.next(kNow + 2880s - 1ms), TokenStep::kUse);
    EXPECT_EQ(keeper.next(kNow + 2880s), c.renewal);
    EXPECT_EQ(keeper.next(kNow + 3600s), c.renewal);
    EXPECT_EQ(keeper.bearer(), "a");
  }
}

TEST(TokenKeeper, UsesATokenOfUnknownLifeUntilItIsRefused) {
  TokenKeeper keeper(true);
  keeper.granted(grant("a", "r", 0s), kNow);
  EXPECT_EQ(keeper.expires(), std::nullopt);
  EXPECT_EQ(keeper.next(kNow + 10'000h), TokenStep::kUse);
  keeper.refused("a");
  EXPECT_EQ(keeper.next(kNow), TokenStep::kRefresh);
}

TEST(TokenKeeper, BearsAnyLifeItIsTold) {
  for (const seconds life : {seconds::max(), seconds::min(), -1s}) {
    TokenKeeper keeper(true);
    keeper.granted(grant("a", "r", life), kNow);
    EXPECT_EQ(keeper.next(kNow), TokenStep::kUse) << life.count();
  }
}

TEST(TokenKeeper, ALateRefusalOfAnOlderTokenChangesNothing) {
  TokenKeeper keeper(true);
  keeper.granted(grant("old", "r1", 3600s), kNow);
  keeper.granted(grant("new", "r2", 3600s), kNow + 3000s);
  keeper.refused("old");
  EXPECT_EQ(keeper.next(kNow + 3001s), TokenStep::kUse);
  EXPECT_EQ(keeper.bearer(), "new");
  keeper.refused("new");
  keeper.refused("");
  EXPECT_EQ(keeper.next(kNow + 3001s), TokenStep::kRefresh);
  EXPECT_EQ(keeper.expires(), std::nullopt);
}

TEST(TokenKeeper, LogsInWhenItsRefreshTokenIsRefused) {
  TokenKeeper keeper(true);
  keeper.granted(grant("a", "r", 3600s), kNow);
  keeper.refused("a");
  ASSERT_EQ(keeper.next(kNow), TokenStep::kRefresh);
  keeper.refresh_refused();
  EXPECT_EQ(keeper.next(kNow), TokenStep::kLogIn);
  keeper.granted(grant("b", "r2", 3600s), kNow);
  EXPECT_EQ(keeper.next(kNow), TokenStep::kUse);
  EXPECT_EQ(keeper.next(kNow + 1h), TokenStep::kRefresh);
}

TEST(TokenKeeper, KeepsItsRefreshTokenWhenTheResponseBringsNone) {
  TokenKeeper keeper(true);
  keeper.granted(grant("a", "r", 3600s), kNow);
  keeper.granted(grant("b", "", 3600s), kNow + 1h);
  EXPECT_EQ(keeper.refresh_token(), "r");
}

TEST(TokenKeeper, UsesALivingTokenWhileItCannotBeRenewed) {
  TokenKeeper keeper(true);
  keeper.granted(grant("a", "r", 100s), kNow);
  ASSERT_EQ(keeper.next(kNow + 80s), TokenStep::kRefresh);
  keeper.renewal_failed(kNow + 90s);
  EXPECT_EQ(keeper.next(kNow + 89s), TokenStep::kUse);
  EXPECT_EQ(keeper.next(kNow + 90s), TokenStep::kRefresh);
  keeper.renewal_failed(kNow + 500s);
  EXPECT_EQ(keeper.next(kNow + 99s), TokenStep::kUse);
  EXPECT_EQ(keeper.next(kNow + 100s), TokenStep::kRefresh);  // dead
}

TEST(TokenKeeper, AFailedFirstLoginLeavesNothingToUse) {
  TokenKeeper keeper(true);
  keeper.renewal_failed(kNow + 90s);
  EXPECT_EQ(keeper.next(kNow), TokenStep::kLogIn);
}

TEST(TokenKeeper, GivesItsTokenAwayOnceForLoggingOut) {
  TokenKeeper keeper(true);
  EXPECT_EQ(keeper.take_for_logout(), std::nullopt);
  keeper.granted(grant("a", "r", 3600s), kNow);
  EXPECT_EQ(keeper.take_for_logout(), "a");
  EXPECT_EQ(keeper.take_for_logout(), std::nullopt);
  EXPECT_EQ(keeper.expires(), std::nullopt);
  EXPECT_EQ(keeper.next(kNow), TokenStep::kLogIn);  // the refresh token went with it
}

TEST(TokenKeeper, AFixedTokenIsAlwaysUsedAndNeverLoggedOut) {
  TokenKeeper keeper = TokenKeeper::fixed("f");
  EXPECT_TRUE(keeper.is_fixed());
  keeper.refused("f");
  EXPECT_EQ(keeper.next(kNow + 10'000h), TokenStep::kUse);
  EXPECT_EQ(keeper.bearer(), "f");
  EXPECT_EQ(keeper.take_for_logout(), std::nullopt);
  EXPECT_EQ(keeper.bearer(), "f");
}

}  // namespace
}  // namespace sessionlogd
