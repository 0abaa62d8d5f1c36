#include "config/units.h"

#include <gtest/gtest.h>

#include "config/value_error.h"

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

template <class Parse>
std::string refusal(Parse parse, std::string_view text) {
  try {
    (void)parse(text);
  } catch (const ValueError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Units, ReadsDurations) {
  const std::pair<const char*, std::int64_t> table[] = {{"0s", 0},         {"1ms", 1},          {"250ms", 250},
                                                        {"5s", 5'000},     {"10m", 600'000},    {"24h", 86'400'000},
                                                        {"1h", 3'600'000}, {"7d", 604'800'000}, {"007s", 7'000}};
  for (const auto& [text, expected] : table) EXPECT_EQ(parse_duration(text), milliseconds(expected)) << text;
}

TEST(Units, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "5", "s", "-5s", "+5s", " 5s", "5 s", "5S", "1.5s", "5s ", "1h30m", "5w",
                           "99999999999999999999s", "9223372036854775807d", "0x5s"}) {
    EXPECT_EQ(refusal(parse_duration, text),
              "found \"" + std::string(text) + R"(", expected a duration like "250ms", "5s", "10m", "24h" or "7d")");
  }
}

TEST(Units, ReadsSizes) {
  const std::pair<const char*, std::uint64_t> table[] = {
      {"0B", 0},           {"512B", 512},           {"64KiB", 65'536},
      {"8MiB", 8'388'608}, {"1GiB", 1'073'741'824}, {"8GiB", 8'589'934'592}};
  for (const auto& [text, expected] : table) EXPECT_EQ(parse_size(text), expected) << text;
}

TEST(Units, RefusesWhatIsNoSize) {
  for (const char* text : {"", "8", "MiB", "-8MiB", "8 MiB", "8mib", "1.5GiB", "99999999999GiB", "8TiB"}) {
    EXPECT_EQ(refusal(parse_size, text),
              "found \"" + std::string(text) + R"(", expected a size like "512B", "64KiB", "8MiB" or "1GiB")");
  }
}

TEST(Units, SaysWhyDecimalSizesAreRefused) {
  for (const char* text : {"8KB", "8kB", "8MB", "8GB", "8M", "8K", "8G"}) {
    EXPECT_TRUE(refusal(parse_size, text).ends_with(": KB, MB and GB mean 1000 to some and 1024 to others")) << text;
  }
}

TEST(Units, ReadsRatesPerSecond) {
  const std::pair<const char*, double> table[] = {
      {"20/s", 20}, {"2.5/s", 2.5}, {"30/m", 0.5}, {"3600/h", 1}, {"0.1/s", 0.1}};
  for (const auto& [text, expected] : table) EXPECT_DOUBLE_EQ(parse_rate(text), expected) << text;
}

TEST(Units, RefusesWhatIsNoRate) {
  for (const char* text : {"", "20", "/s", "0/s", "-1/s", "20/d", "20 /s", "nan/s", "inf/s", "1e3/s", "20/s "}) {
    EXPECT_EQ(
        refusal(parse_rate, text),
        "found \"" + std::string(text) + R"(", expected a rate above zero like "20/s", "2.5/s", "30/m" or "100/h")");
  }
}

TEST(Units, FormatsWhatItReads) {
  for (const char* text : {"250ms", "5s", "90s", "10m", "1d", "7d", "0ms"})
    EXPECT_EQ(format_duration(parse_duration(text)), text);
  for (const char* text : {"0B", "512B", "64KiB", "8MiB", "1GiB"}) EXPECT_EQ(format_size(parse_size(text)), text);
}

TEST(Units, QuotesWithoutBreakingALine) {
  EXPECT_EQ(in_quotes("a\nb\"c\\d\x7f"), R"("a\x0ab\"c\\d\x7f")");
  EXPECT_EQ(in_quotes(std::string(200, 'x')), "\"" + std::string(80, 'x') + "...\"");
  EXPECT_EQ(in_quotes(std::string(79, 'x') + "\xc3\xa4" + "yz"), "\"" + std::string(79, 'x') + "\xc3\xa4...\"");
}

}  // namespace
}  // namespace sessionlogd
