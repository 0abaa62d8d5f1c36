#include "core/base/timestamp.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

constexpr std::int64_t kJune = 1'592'680'320;  // 2020-06-20T19:12:00Z

std::string written(Instant at) {
  std::string text;
  append_rfc3339(text, at);
  return text;
}

TEST(Timestamp, ReadsEveryNotation) {
  struct Case {
    std::string_view text;
    std::int64_t seconds;
    std::uint32_t nanos;
    bool zoned;
  };
  const Case cases[] = {
      {"2020-06-20T19:12:00", kJune, 0, false},
      {"2020-06-20T19:12:00Z", kJune, 0, true},
      {"2020-06-20t19:12:00z", kJune, 0, true},
      {"2020-06-20 19:12:00Z", kJune, 0, true},
      {"2020-06-20T19:12:00.5", kJune, 500'000'000, false},
      {"2020-06-20T19:12:00.51", kJune, 510'000'000, false},
      {"2020-06-20T19:12:00.514", kJune, 514'000'000, false},
      {"2020-06-20T19:12:00.5146", kJune, 514'600'000, false},
      {"2020-06-20T19:12:00.51461", kJune, 514'610'000, false},
      {"2020-06-20T19:12:00.514619Z", kJune, 514'619'000, true},
      {"2020-06-20T19:12:00.5146191Z", kJune, 514'619'100, true},
      {"2020-06-20T19:12:00.51461912Z", kJune, 514'619'120, true},
      {"2020-06-20T19:12:00.514619123Z", kJune, 514'619'123, true},
      {"2020-06-20T19:12:00.000000001Z", kJune, 1, true},
      {"2020-06-20T21:12:00+02:00", kJune, 0, true},
      {"2020-06-20T13:42:00.25-05:30", kJune, 250'000'000, true},
      {"2020-06-20T19:12:00-00:00", kJune, 0, true},
      {"2020-06-21T19:11:00+23:59", kJune, 0, true},
      {"2016-12-31T23:59:60Z", 1'483'228'800, 0, true},
      {"2016-12-31T23:59:60.75Z", 1'483'228'800, 750'000'000, true},
      {"2020-02-29T00:00:00", 1'582'934'400, 0, false},
      {"2000-02-29T00:00:00", 951'782'400, 0, false},
      {"1969-12-31T23:59:59.9", -1, 900'000'000, false},
      {"0000-01-01T00:00:00", -62'167'219'200, 0, false},
      {"0001-01-01T00:00:00", -62'135'596'800, 0, false},
      {"9999-12-31T23:59:59.9999999", 253'402'300'799, 999'999'900, false},
  };
  for (const Case& c : cases) {
    const auto read = parse_rfc3339(c.text);
    ASSERT_TRUE(read) << c.text;
    EXPECT_EQ(read->instant, (Instant{c.seconds, c.nanos})) << c.text;
    EXPECT_EQ(read->zoned, c.zoned) << c.text;
  }
}

TEST(Timestamp, RefusesEverythingElse) {
  const std::string_view cases[] = {
      "",
      " ",
      "2020",
      "2020-06-20",
      "2020-06-20T",
      "2020-06-20T19:12",
      "2020-06-20T19:12:0",
      "20200620T191200Z",
      "2020-6-20T19:12:00",
      "2020-06-20_19:12:00",
      "2020/06/20T19:12:00",
      "2020-06-20T19.12.00",
      "020-06-20T19:12:00",
      "+2020-06-20T19:12:00",
      "-2020-06-20T19:12:00",
      "12020-06-20T19:12:00",
      " 2020-06-20T19:12:00",
      "2020-06-20T19:12:00 ",
      "2020-06-20T19:12:00Zx",
      "2020-06-20T19:12:00ZZ",
      "2020-06-20T19:12:00.Z",
      "2020-06-20T19:12:00.",
      "2020-06-20T19:12:00,5",
      "2020-06-20T19:12:00.1234567890",
      "2020-06-20T19:12:00.-1",
      "2020-00-20T19:12:00",
      "2020-13-20T19:12:00",
      "2020-06-00T19:12:00",
      "2020-06-31T19:12:00",
      "2021-02-29T00:00:00",
      "1900-02-29T00:00:00",
      "2020-06-20T24:00:00",
      "2020-06-20T19:60:00",
      "2020-06-20T19:12:61",
      "2020-06-20T-1:12:00",
      "2020-06-20T19:12:00+2",
      "2020-06-20T19:12:00+02",
      "2020-06-20T19:12:00+0200",
      "2020-06-20T19:12:00+24:00",
      "2020-06-20T19:12:00+02:60",
      "2020-06-20T19:12:00 +02:00",
      "2020-06-20T19:12:00+02:00Z",
      "2020-06-20T19:12:00UTC",
      "0000-01-01T00:00:00+00:01",
      "9999-12-31T23:59:60Z",
      "9999-12-31T23:59:59-00:01",
  };
  for (const std::string_view text : cases) EXPECT_FALSE(parse_rfc3339(text)) << text;
  EXPECT_FALSE(parse_rfc3339(std::string_view("2020-06-20T19:12:00\0", 20)));
}

TEST(Timestamp, WritesDigitsInGroupsOfThree) {
  struct Case {
    Instant at;
    std::string_view text;
  };
  const Case cases[] = {
      {{kJune, 0}, "2020-06-20T19:12:00Z"},
      {{kJune, 500'000'000}, "2020-06-20T19:12:00.500Z"},
      {{kJune, 398'800'000}, "2020-06-20T19:12:00.398800Z"},
      {{kJune, 1'000'000}, "2020-06-20T19:12:00.001Z"},
      {{kJune, 1'000}, "2020-06-20T19:12:00.000001Z"},
      {{kJune, 1}, "2020-06-20T19:12:00.000000001Z"},
      {{kJune, 100}, "2020-06-20T19:12:00.000000100Z"},
      {{kJune, 120'034'056}, "2020-06-20T19:12:00.120034056Z"},
      {{kJune, 7'000'089}, "2020-06-20T19:12:00.007000089Z"},
      {{-1, 999'999'999}, "1969-12-31T23:59:59.999999999Z"},
      {{-86'400, 0}, "1969-12-31T00:00:00Z"},
      {{-86'401, 0}, "1969-12-30T23:59:59Z"},
      {{-62'135'596'800, 0}, "0001-01-01T00:00:00Z"},
      {{253'402'300'799, 0}, "9999-12-31T23:59:59Z"},
  };
  for (const Case& c : cases) EXPECT_EQ(written(c.at), c.text);
}

TEST(Timestamp, ReadsBackWhatItWrote) {
  std::mt19937_64 random(test::random_seed());
  std::uniform_int_distribution<std::int64_t> seconds(-62'167'219'200, 253'402'300'799);
  const std::uint32_t steps[] = {1, 1'000, 1'000'000, 1'000'000'000};
  for (int i = 0; i < 10'000; ++i) {
    const std::uint32_t step = steps[random() % 4];
    const Instant at{seconds(random), static_cast<std::uint32_t>(random() % 1'000'000'000 / step * step)};
    const auto read = parse_rfc3339(written(at));
    ASSERT_TRUE(read && read->zoned) << written(at);
    ASSERT_EQ(read->instant, at) << written(at);
  }
}

// The usual form is read at once, all others byte by byte: of two texts that differ only in the letter before the time
// one goes each way.
TEST(Timestamp, ReadsTheSameAtOnceAndByteByByte) {
  std::mt19937_64 random(test::random_seed());
  const std::string_view ends[] = {"",        "Z",        ".5",         ".398",       ".3988", ".39880",
                                   ".398800", ".3988001", ".39880012Z", ".398800123", "+02:00"};
  int read = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", random() % 10'000, random() % 14, random() % 33,
                    random() % 25, random() % 61, random() % 62, ends[random() % std::size(ends)]);
    if (random() % 4 == 0) text[random() % text.size()] = "0129-:.TZ /"[random() % 11];
    std::string slow = text;
    if (slow.size() > 10 && slow[10] == 'T') slow[10] = 't';
    const auto a = parse_rfc3339(text), b = parse_rfc3339(slow);
    ASSERT_EQ(a.has_value(), b.has_value()) << text;
    if (!a) continue;
    ++read;
    ASSERT_EQ(a->instant, b->instant) << text;
    ASSERT_EQ(a->zoned, b->zoned) << text;
  }
  EXPECT_GT(read, 5'000);
}

TEST(Timestamp, SubtractsWithinWhatFits) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(nanoseconds_between({5, 1}, {3, 999'999'999}), 1'000'000'002);
  EXPECT_EQ(nanoseconds_between({3, 999'999'999}, {5, 1}), -1'000'000'002);
  EXPECT_EQ(nanoseconds_between({9'223'372'036, 854'775'807}, {0, 0}), kMost);
  EXPECT_EQ(nanoseconds_between({9'223'372'037, 0}, {0, 145'224'193}), kMost);
  EXPECT_FALSE(nanoseconds_between({9'223'372'036, 854'775'808}, {0, 0}));
  EXPECT_FALSE(nanoseconds_between({253'402'300'799, 0}, {-62'135'596'800, 0}));
  EXPECT_FALSE(nanoseconds_between({kMost, 0}, {-1, 0}));
}

TEST(Timestamp, AddsWithinTheYearsItCanWrite) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(add_nanoseconds({10, 999'999'999}, 1), (Instant{11, 0}));
  EXPECT_EQ(add_nanoseconds({10, 0}, -1), (Instant{9, 999'999'999}));
  EXPECT_EQ(add_nanoseconds({0, 0}, -1'000'000'001), (Instant{-2, 999'999'999}));
  EXPECT_EQ(add_nanoseconds({0, 0}, kMost), (Instant{9'223'372'036, 854'775'807}));
  EXPECT_FALSE(add_nanoseconds({253'402'300'799, 999'999'999}, 1));
  EXPECT_FALSE(add_nanoseconds({-62'167'219'200, 0}, -1));
}

TEST(TimeSpan, ReadsWhatDotNetWrites) {
  struct Case {
    std::string_view text;
    std::int64_t nanos;
  };
  const Case cases[] = {
      {"00:00:00", 0},
      {"00:02:33.8496840", 153'849'684'000},
      {"-00:02:33.8496840", -153'849'684'000},
      {"23:59:59.9999999", 86'399'999'999'900},
      {"1.00:00:00", 86'400'000'000'000},
      {"-10.01:02:03.5", -867'723'500'000'000},
      {"00:00:00.000000001", 1},
      {"106751.23:47:16.854775807", 9'223'372'036'854'775'807},
  };
  for (const Case& c : cases) EXPECT_EQ(parse_time_span(c.text), c.nanos) << c.text;
}

TEST(TimeSpan, RefusesEverythingElse) {
  const std::string_view cases[] = {
      "",
      "-",
      "687",
      "00:00",
      "0:00:00",
      "00:00:00.",
      "00:00:00.0000000001",
      "24:00:00",
      "00:60:00",
      "00:00:60",
      ".00:00:00",
      "1.",
      "1.00",
      "+00:00:00",
      "--00:00:00",
      "00:00:00 ",
      " 00:00:00",
      "x.00:00:00",
      "1.1.00:00:00",
      "00:00:00Z",
      "106751.23:47:16.854775808",
      "99999999.00:00:00",
      "999999999.00:00:00",
      "10675199.02:48:05.4775807",
  };
  for (const std::string_view text : cases) EXPECT_FALSE(parse_time_span(text)) << text;
}

}  // namespace
}  // namespace sessionlogd
