#include "core/api/secret_text.h"

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

// As JSON in a page for people holds a form, say.
TEST(SecretText, IsFoundInOneFormAroundAnother) {
  constexpr std::string_view kSecret = "p&a<s>s'w\"ord";
  for (const std::string_view text : {
           "you sent p&amp;a&lt;s&gt;s&#39;w&quot;ord", "p&#38;a&#x3C;s&#x3e;s&apos;w&#034;ord",
           "p&ampa&lts&gts&#39w&quotord",  // without semicolons
           "P&AMP;a<S>S'W\"ORD", "p\\u0026a\\u003cs\\u003es\\u0027w\\\"ord", "p\\x26a\\x3Cs>s'w\"ord",
           "p%2526a%253Cs%253Es%2527w%2522ord",  // percent-encoded twice
           "p&amp;amp;a&amp;lt;s&amp;gt;s'w&amp;quot;ord",
           "cGFzc3dvcmQ9cCUyNmElM0NzJTNFcyUyN3clMjJvcmQ=",      // password=<percent-encoded>
           "cGFzc3dvcmQ9cCUyNmElM0NzJTNF\ncyUyN3clMjJvcmQ=",    // broken into lines
           "x=cGFzc3dvcmQ9cCUyNmElM0NzJTNFcyUyN3clMjJvcmQ%3D",  // and percent-encoded again
       }) {
    EXPECT_TRUE(holds_secret(text, kSecret)) << text;
  }
  EXPECT_FALSE(holds_secret("you sent p&amp;a&lt;s&gt;s&#39;w&quot;", kSecret));
  EXPECT_TRUE(holds_secret("%2541%26amp%3B", "%41&amp;")) << "what looks like an encoding is the secret itself";
  EXPECT_TRUE(holds_secret("%C3%A4%C3%B6", "\xC3\xA4\xC3\xB6"));
}

TEST(SecretText, IsFoundUnderSeveralEncodingsOfBytes) {
  constexpr std::string_view kSecret = "canary-password";
  for (const std::string_view text : {
           "WTJGdVlYSjVMWEJoYzNOM2IzSms=",                  // base64 of base64
           "V1RKR2RWbFlTalZNV0VKb1l6Tk9NMkl6U21zPQ==",      // and once more
           "YwBhAG4AYQByAHkALQBwAGEAcwBzAHcAbwByAGQA",      // base64 of UTF-16LE
           "AGMAYQBuAGEAcgB5AC0AcABhAHMAcwB3AG8AcgBk",      // and of UTF-16BE
           "got 63616e6172792d70617373776f7264.",           // hex
           "63:61:6E:61:72:79:2D:70:61:73:73:77:6F:72:64",  // with a mark between the bytes
           "0x63, 0x61, 0x6e, 0x61, 0x72, 0x79, 0x2d, 0x70, 0x61, 0x73, 0x73, 0x77, 0x6f, 0x72, 0x64",  // as an array
           "f63616e6172792d70617373776f7264",           // from the second digit on
           "NjM2MTZlNjE3Mjc5MmQ3MDYxNzM3Mzc3NmY3MjY0",  // base64 of hex
           "=63=61nary=2Dpass=\r\nword",                // quoted-printable
           "PTYzPTYxbmFyeT0yRHBhc3N3b3Jk",              // and base64 of it
       }) {
    EXPECT_TRUE(holds_secret(text, kSecret)) << text;
  }
}

// What was made to decode into more and more, and what is too long to be looked at: the search ends, and says no good
// of it.
TEST(SecretText, IsTakenToBeInWhatIsTooLongToBeLookedAt) {
  EXPECT_TRUE(holds_secret(std::string(60u << 20, 'x'), "canary-password"));
  EXPECT_FALSE(holds_secret(std::string(72u << 10, 'V'), "canary-password"));
}

TEST(SecretText, IsFoundInTheAlphabetForUrls) {
  EXPECT_TRUE(holds_secret("x=-_-_-_-_", "\xFB\xFF\xBF\xFB\xFF\xBF"));
  EXPECT_TRUE(holds_secret("x=+/+/+/+/", "\xFB\xFF\xBF\xFB\xFF\xBF"));
}

TEST(SecretText, IsFoundUnderTheNamesOfHtml) {
  constexpr std::string_view kSecret = "Gr\xC3\xBCn-H@us!7(\xC3\x9F)";
  for (const std::string_view text : {
           "Gr&uuml;n-H@us!7(&szlig;)", "Gr&Uuml;n-H&commat;us&excl;7&lpar;&szlig;&rpar;", "Gr&uumln-H@us!7(&szlig)",
           "Gr&amp;uuml;n-H&amp;commat;us!7(&amp;#223;)",  // twice
           "gr&UUML;n&shy;-h@us&excl;7(\xC3\x9F)",         // with a soft hyphen
       }) {
    EXPECT_TRUE(holds_secret(text, kSecret)) << text;
  }
  EXPECT_TRUE(holds_secret("{a}[b]|c", "&lcub;a&rcub;&lsqb;b&rsqb;&verbar;c"));
  EXPECT_TRUE(holds_secret("a&solution;b", "a&solution;b"));
  EXPECT_FALSE(holds_secret("a/ution;b", "a&solution;b")) << "no name of a character";
  EXPECT_FALSE(holds_secret("Gr&uuml;n-H&commatus!7(&szlig;)", kSecret)) << "those need their semicolon";
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
