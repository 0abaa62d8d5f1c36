#include "core/secret_text.h"

#include <gtest/gtest.h>

#include <string>

namespace sessionlogd {
namespace {

TEST(SecretText, IsFoundInEveryFormItMayBeEchoedIn) {
  constexpr std::string_view kSecret = "p\xC3\xA4ss w\"rd+%/1";
  for (const std::string_view text : {
           "the password p\xC3\xA4ss w\"rd+%/1 is wrong",
           "grant_type=password&password=p%C3%A4ss%20w%22rd%2B%25%2F1&x=1", "password=p%c3%a4ss+w%22rd%2b%25%2f1",
           R"({"got":"pä)"
           "ss w\\\"rd+%/1\"}",
           "{\"got\":\"p\xC3\xA4\\u0073s w\\u0022rd+%\\/1\"}",
           "Basic cMOkc3MgdyJyZCslLzE=",              // itself
           "Basic Y29sbGVjdG9yOnDDpHNzIHcicmQrJS8x",  // "collector:" before it
           "Basic YTpww6RzcyB3InJkKyUvMTo=",          // "a:" before it, ":" behind it
           "Basic YWI6cMOkc3MgdyJyZCslLzE",           // "ab:" before it, without padding
       }) {
    EXPECT_TRUE(holds_secret(text, kSecret)) << text;
  }
}

TEST(SecretText, IsFoundInTheAlphabetForUrls) {
  EXPECT_TRUE(holds_secret("x=-_-_-_-_", "\xFB\xFF\xBF\xFB\xFF\xBF"));
  EXPECT_TRUE(holds_secret("x=+/+/+/+/", "\xFB\xFF\xBF\xFB\xFF\xBF"));
}

TEST(SecretText, IsNotFoundWhereItIsNot) {
  for (const std::string_view text : {"", "wrong password", "canary-passwor", "anary-password", "%", "%6", "\\",
                                      "\\u00", "Basic Y29sbGVjdG9yOnNlY3JldA=="}) {
    EXPECT_FALSE(holds_secret(text, "canary-password")) << text;
  }
  EXPECT_FALSE(holds_secret("anything", ""));
}

}  // namespace
}  // namespace sessionlogd
