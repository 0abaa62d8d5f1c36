#include "core/http/http_headers.h"

#include <gtest/gtest.h>

#include <string>

namespace sessionlogd {
namespace {

using std::chrono::seconds;

TEST(HttpHeaders, ReadAllThreeFormsOfADate) {
  const std::int64_t expected = 784'111'777;
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), expected);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), expected);
  EXPECT_EQ(parse_http_date(" Sun, 06 Nov 1994 08:49:37 GMT\r\n"), expected);
  EXPECT_EQ(parse_http_date("Saturday, 21-Nov-26 20:41:12 GMT"), parse_http_date("Sat, 21 Nov 2026 20:41:12 GMT"));
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT"), 1'709'164'800);
}

TEST(HttpHeaders, RefuseWhatIsNoDate) {
  for (const char* text :
       {"", "now", "Sun, 06 Nov 1994", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 06 ovD 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT x"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

TEST(HttpHeaders, ReadRetryAfterAsSecondsOrDateAndNeverNegativeOrEndless) {
  const std::int64_t now = 784'111'777;
  EXPECT_EQ(parse_retry_after("120", now), seconds(120));
  EXPECT_EQ(parse_retry_after(" 0 ", now), seconds(0));
  EXPECT_EQ(parse_retry_after("-5", now), seconds(0));
  EXPECT_EQ(parse_retry_after("99999999999999999999999999", now), kLongestRetryAfter);
  EXPECT_EQ(parse_retry_after("9223372036854775807", now), kLongestRetryAfter);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), seconds(60));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), seconds(0));
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now), kLongestRetryAfter);
  for (const char* text : {"", "soon", "1.5", "-", "1 2"}) EXPECT_FALSE(parse_retry_after(text, now)) << text;
}

TEST(HttpHeaders, PercentEncodeAllButUnreserved) {
  const auto encoded = [](std::string_view text) {
    std::string out = "before ";
    append_percent_encoded(out, text);
    return out;
  };
  EXPECT_EQ(encoded(""), "before ");
  EXPECT_EQ(encoded("aZ09-._~"), "before aZ09-._~");
  EXPECT_EQ(encoded("a b/c?d=e&f%"), "before a%20b%2Fc%3Fd%3De%26f%25");
  EXPECT_EQ(encoded(std::string_view("\0\xc3\xa9", 3)), "before %00%C3%A9");
}

TEST(HttpHeaders, CannotBeForged) {
  EXPECT_TRUE(is_sendable_header("X-A: b"));
  EXPECT_TRUE(is_sendable_header("X-A:"));
  for (const std::string& line : {std::string("X: a\r\nY: b"), std::string("X: a\nY: b"), std::string("X: a\0b", 6),
                                  std::string("no colon"), std::string(": x"), std::string("X Y: z"), std::string()}) {
    EXPECT_FALSE(is_sendable_header(line)) << line;
  }
  EXPECT_TRUE(is_sendable_target("/a?b=c"));
  for (const std::string& target : {std::string(""), std::string("a"), std::string("/a b"), std::string("/a\r\nX: y"),
                                    std::string("/a#b"), std::string("@other/")}) {
    EXPECT_FALSE(is_sendable_target(target)) << target;
  }
}

}  // namespace
}  // namespace sessionlogd
