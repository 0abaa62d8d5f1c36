#include "core/api/refusal.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

std::string reason_of(std::string_view body, std::string_view www_authenticate = {}) {
  const auto anything = [](std::string_view) { return true; };
  return quote(read_reason({.status = 400, .body = body, .www_authenticate = www_authenticate, .location = {}}),
               anything);
}

// The shapes that the vendors' descriptions and their servers show.
TEST(RefusalReason, IsFoundWhereverAResponseSaysIt) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {R"({"title":"Bad Request","detail":"EULA not accepted","status":403})", "Bad Request, EULA not accepted"},
      {R"({"errorCode":"AccessDenied","message":"Access is denied","resourceId":null})",
       "Access is denied, AccessDenied"},
      {R"({"error":{"code":"UnsupportedApiVersion","message":"use 1.8-rev0","innerError":null}})",
       "use 1.8-rev0, UnsupportedApiVersion"},
      {R"({"error":"invalid_grant","error_description":"the account is locked"})",
       "the account is locked, invalid_grant"},
      {R"({"title":"One or more validation errors occurred.","errors":{"Limit":["The value 'x' is not valid."]}})",
       "One or more validation errors occurred., The value 'x' is not valid."},
      {R"({"errors":[{"code":"E7","message":"no"},{"message":"never"}]})", "no, never, E7"},
      {R"({"Message":"Authorization has been denied for this request."})",
       "Authorization has been denied for this request."},
      {R"("just a string")", "just a string"},
      {"The API version is not supported.\r\nUse 1.8-rev0\n", "The API version is not supported. Use 1.8-rev0"},
      {"\xEF\xBB\xBF{\"message\":\"behind a mark\"}", "behind a mark"},
      {R"({"message":"same","error":"same","title":"same"})", "same"},
      {R"({"status":"Forbidden"})", "Forbidden"},
      {R"({"status":"403","code":7})", ""},
      {"<html><title>Sign in</title></html>", ""},
      {R"({"unknown":"field"})", ""},
      {R"({"message":"cut off)", ""},
      {"", ""},
      {R"({"message":"no\r\nlevel=error\u0000\u001b[31m\u007f\u0085\u009bx"})", "no level=error [31m x"}};
  for (const auto& [body, reason] : table) EXPECT_EQ(reason_of(body), reason) << body;
}

TEST(RefusalReason, OfTheHeaderServesWhereTheBodySaysNothing) {
  constexpr std::string_view kHeader = R"(Bearer error="invalid_token", error_description="The token expired")";
  EXPECT_EQ(reason_of("", kHeader), "The token expired");
  EXPECT_EQ(reason_of("<html>", R"(Bearer realm="x", error="invalid_token")"), "invalid_token");
  EXPECT_EQ(reason_of(R"({"message":"said"})", kHeader), "said");
  EXPECT_EQ(reason_of("", "Basic realm=\"x\""), "");
}

TEST(RefusalReason, IsCutToTwoHundredBytesOfWholeCharacters) {
  EXPECT_EQ(reason_of(std::string(5'000, 'a')), std::string(200, 'a'));
  EXPECT_EQ(reason_of(std::string(199, 'a') + "\xE2\x82\xAC more"), std::string(199, 'a'));
  EXPECT_EQ(reason_of("{\"message\":\"" + std::string(300'000, 'a') + "\"}"), "") << "that is no word on a refusal";
}

TEST(RefusalReason, IsAskedAboutWholeBeforeItIsCut) {
  const std::string reason = std::string(190, 'y') + std::string(30'000, 's');
  const std::string challenge = "Bearer error_description=\"" + reason + "\"";
  for (const auto& [body, header] :
       {std::pair(reason, std::string()), std::pair("{\"message\":\"" + reason + "\"}", std::string()),
        std::pair(std::string(), challenge)}) {
    std::string asked;
    const auto note = [&asked](std::string_view whole) {
      asked = whole;
      return false;
    };
    const RefusalText refusal{.status = 400, .body = body, .www_authenticate = header, .location = {}};
    EXPECT_EQ(quote(read_reason(refusal), note), "");
    EXPECT_EQ(asked, reason);
  }
}

TEST(RefusalReason, BearsAnyBytes) {
  std::mt19937_64 random(test::random_seed());
  const std::string_view whole = R"({"error":{"code":"x","details":[{"message":"m\u0085"}]},"title":"t"})";
  for (int run = 0; run < 20'000; ++run) {
    std::string body(whole);
    for (auto changes = random() % 5; changes > 0; --changes)
      body[random() % body.size()] = static_cast<char>(random());
    EXPECT_LE(reason_of(body).size(), 200u) << body;
  }
  std::string deep;
  for (int i = 0; i < 1'000; ++i) deep += R"({"error":)";
  EXPECT_EQ(reason_of(deep + "1" + std::string(1'000, '}')), "");
}

TEST(Refusal, HasTheReactionThatItsReasonAsksFor) {
  struct Row {
    Asked asked;
    int status;
    std::string_view body, location;
    Reaction reaction;
  };
  constexpr auto kData = Asked::kData, kToken = Asked::kToken;
  const Row table[] = {
      {kData, 401, "", "", Reaction::kLogInAgain},
      {kData, 401, R"({"message":"license expired"})", "", Reaction::kLogInAgain},
      {kData, 403, R"({"message":"The access token expired"})", "", Reaction::kLogInAgain},
      {kData, 403, R"({"error":"invalid_token"})", "", Reaction::kLogInAgain},
      {kData, 403, R"({"message":"Not authenticated"})", "", Reaction::kLogInAgain},
      {kData, 403, R"({"message":"EULA not accepted"})", "", Reaction::kNoRight},
      {kData, 403, "", "", Reaction::kNoRight},
      {kData, 302, "", "/login?back=%2Fapi", Reaction::kLogInAgain},
      {kData, 307, "", "https://sso.example/auth", Reaction::kLogInAgain},
      {kData, 302, "", "/api/v2/sessions?token=auth", Reaction::kForItsReason},
      {kData, 400, R"({"message":"version not supported, use 1.8-rev0"})", "", Reaction::kWrongVersion},
      {kData, 400, "", "", Reaction::kForItsReason},
      {kData, 404, "", "", Reaction::kForItsReason},
      {kData, 410, "", "", Reaction::kForItsReason},
      {kData, 408, "", "", Reaction::kLater},
      {kData, 425, "", "", Reaction::kLater},
      {kData, 429, "", "", Reaction::kLater},
      {kData, 500, "", "", Reaction::kLater},
      {kData, 503, R"({"message":"wrong version"})", "", Reaction::kLater},
      {kData, 501, "", "", Reaction::kForItsReason},
      {kToken, 400, R"({"error":"invalid_grant"})", "", Reaction::kWrongCredential},
      {kToken, 400, R"({"error":"invalid_client"})", "", Reaction::kWrongCredential},
      {kToken, 400, R"({"error":"unauthorized_client"})", "", Reaction::kWrongCredential},
      {kToken, 400, R"({"errorCode":"AccessDenied"})", "", Reaction::kWrongCredential},
      {kToken, 400, "Incorrect user name or password", "", Reaction::kWrongCredential},
      {kToken, 400, R"({"error":"invalid_request","error_description":"password is missing"})", "",
       Reaction::kBadRequest},
      {kToken, 400, R"({"error":"unsupported_grant_type"})", "", Reaction::kBadRequest},
      {kToken, 400, R"({"error":"invalid_scope"})", "", Reaction::kBadRequest},
      {kToken, 400, R"({"message":"EULA not accepted"})", "", Reaction::kBadRequest},
      {kToken, 400, "", "", Reaction::kBadRequest},
      {kToken, 401, "", "", Reaction::kWrongCredential},
      {kToken, 401, R"({"message":"the client's version is old"})", "", Reaction::kWrongCredential},
      {kToken, 401, R"({"error":{"code":"UnsupportedApiVersion"}})", "", Reaction::kWrongVersion},
      {kToken, 400, R"({"error":{"code":"UnsupportedApiVersion"}})", "", Reaction::kWrongVersion},
      {kToken, 400, "API version 1.9 is not supported", "", Reaction::kWrongVersion},
      {kToken, 403, R"({"message":"EULA not accepted"})", "", Reaction::kNoRight},
      {kToken, 404, "", "", Reaction::kWrongAddress},
      {kToken, 405, "", "", Reaction::kWrongAddress},
      {kToken, 302, "", "/login", Reaction::kWrongAddress},
      {kToken, 429, "", "", Reaction::kLater},
      {kToken, 502, "", "", Reaction::kLater},
  };
  for (const Row& row : table) {
    const RefusalText refusal{.status = row.status, .body = row.body, .www_authenticate = {}, .location = row.location};
    EXPECT_EQ(reaction_to(row.asked, refusal, read_reason(refusal)), row.reaction) << row.status << " " << row.body;
  }
}

TEST(Refusal, SaysWhatWasAskedAndWhy) {
  const Error no_right = make_refusal(Asked::kData, Reaction::kNoRight, 403, "/api/v1/sessions", "EULA not accepted");
  EXPECT_EQ(no_right.detail, "HTTP 403 to /api/v1/sessions: the account may not read it: EULA not accepted");
  EXPECT_EQ(no_right.kind, ErrorKind::kRefused);
  EXPECT_EQ(no_right.http_status, 403);
  const Error version = make_refusal(Asked::kToken, Reaction::kWrongVersion, 400, "", "use 1.8-rev0");
  EXPECT_EQ(version.detail, "token request: HTTP 400: wrong api_version?: use 1.8-rev0");
  EXPECT_EQ(version.kind, ErrorKind::kBadResponse) << "it parks no account";
  EXPECT_EQ(make_refusal(Asked::kToken, Reaction::kBadRequest, 400, "", "").kind, ErrorKind::kBadResponse);
  EXPECT_EQ(make_refusal(Asked::kData, Reaction::kForItsReason, 410, "/x", "").detail, "HTTP 410 to /x");
}

}  // namespace
}  // namespace sessionlogd
