#include "bench/fleet/times.h"

#include <gtest/gtest.h>

namespace fleet {
namespace {

constexpr Nanos kSample = 1592680792'398800000;  // of the documented AWS response

TEST(Times, SpellsAsAwsDoes) {
  EXPECT_EQ(aws_time(kSample), "2020-06-20T19:19:52.3988");
  EXPECT_EQ(aws_time(kSample / kSecond * kSecond), "2020-06-20T19:19:52");
}

TEST(Times, SpellsAsAzureDoes) {
  EXPECT_EQ(azure_time(kSample), "2020-06-20T19:19:52.398800Z");
  EXPECT_EQ(azure_time(kSample + 100), "2020-06-20T19:19:52.3988001Z");
}

TEST(Times, SpellsSpansWithDaysAndFractionsOnlyWhereThereAreSome) {
  EXPECT_EQ(time_span(0), "00:00:00");
  EXPECT_EQ(time_span(153 * kSecond + 849684000), "00:02:33.8496840");
  EXPECT_EQ(time_span(30 * kHour), "1.06:00:00");
}

TEST(Times, SpellsTheDateHeader) { EXPECT_EQ(http_date(kSample), "Sat, 20 Jun 2020 19:19:52 GMT"); }

TEST(Times, ReadsWhatItWrites) {
  for (const Nanos at : {kSample, kSample + 100, kSample / kSecond * kSecond})
    EXPECT_EQ(parse_time(azure_time(at)), at);
  EXPECT_EQ(parse_time("2020-06-20T19:19:52.398800"), parse_time("2020-06-20T19:19:52.3988Z"));
}

TEST(Times, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2020-06-20", "2020-13-20T19:19:52", "2020-02-30T19:19:52", "2020-06-20T19:19:52.",
                           "2020-06-20T19:19:52x", "2020-06-20 19:19:52"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(Times, OldFormsOfADateNameTheSameSecond) {
  const Nanos at = *parse_time("1994-11-06T08:49:37Z");
  EXPECT_EQ(http_date_rfc850(at), "Sunday, 06-Nov-94 08:49:37 GMT");
  EXPECT_EQ(http_date_asctime(at), "Sun Nov  6 08:49:37 1994");
}

}  // namespace
}  // namespace fleet
