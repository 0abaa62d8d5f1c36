#include "core/state/identity.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/core/entries/log_text.h"

namespace sessionlogd {
namespace {

// Golden vectors: what is stored and sent everywhere rests on them. If one of these fails, the change would emit a
// whole fleet again.
TEST(Identity, KeepsTheKeysOfSessions) {
  EXPECT_EQ(session_key("aws-eu", "90faa259-fbf6-493a-b492-e59e1cfbe3a6"), 0xc1d0b22a5d702542u);
  EXPECT_EQ(session_key("aws-eu", "90faa259-fbf6-493a-b492-e59e1cfbe3a6", 1), 0x216b74ac97f2b32cu);
  EXPECT_EQ(session_key("", ""), 0x474292953285562eu);
}

// With the generation as the seed alone, "eu/1000" in its second would be "eu/3000".
TEST(Identity, GivesNoTwoSessionsOfASourceOneKey) {
  for (const char* source : {"", "e", "eu", "aws", "aws-e", "aws-eu", "appliance-of-the-north"}) {
    std::vector<std::uint64_t> keys;
    for (int id = 0; id < 40'000; ++id) {
      for (std::uint32_t generation = 0; generation < 4; ++generation)
        keys.push_back(session_key(source, std::to_string(id), generation));
    }
    std::ranges::sort(keys);
    EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end()) << source;
  }
}

TEST(Identity, KeepsTheKeysOfEntries) {
  HashInput input;
  EXPECT_EQ(input.entry_base(1), 0x4dc5b0cc826f6703u);
  input.add_time({1'592'680'320, 514'619'000});
  input.add_text("Processing ubuntu16.");
  input.add_absent();
  input.add_raw("{\"a\":1}");
  EXPECT_EQ(input.entry_base(test::kSessionKey), 0x41b13f2ccb8e6473u);
  EXPECT_EQ(input.event_hash(), 0x4f75e598u);
  EXPECT_EQ(twin_key(42, 0, test::kSessionKey), 42u);
  EXPECT_EQ(twin_key(42, 1, test::kSessionKey), 0x1202c8f62a0c8e06u);
  EXPECT_EQ(twin_key(42, 9'999, test::kSessionKey), 0x3cbd15412b348179u);
}

TEST(Identity, KeepsTheKeysOfGapsAndTheSums) {
  HashInput input;
  input.add_raw("gap");
  EXPECT_EQ(gap_key(GapKind::kGivenUp, 0, test::kSessionKey), input.entry_base(test::kSessionKey));
  EXPECT_EQ(gap_key(GapKind::kGivenUp, 0, test::kSessionKey), 0xf35aa03ca0a9cfbdu);
  EXPECT_EQ(gap_key(GapKind::kGivenUp, 1, test::kSessionKey), 0xc042b42a1b01eee0u);
  EXPECT_EQ(gap_key(GapKind::kMayBeMissing, 0, test::kSessionKey), 0x39daa46c127ba600u);
  EXPECT_EQ(sum_share(0x0123456789abcdef, 0x4f75e598), 0xb1b15f11u);
  EXPECT_EQ(sum_share(0x89abcdef, 0x4f75e598), 0xb1b15f11u) << "of the lower half alone";
}

constexpr std::string_view kEntry =
    R"({"logTime":"2020-06-20T19:22:13.849335","status":"Success","message":"m","executionStartTime":"2020-06-20T19:12:04","executionDuration":687})";

TEST(Identity, KeepsTheEntriesOfBothDialects) {
  test::LogText aws(test::aws()), azure(test::azure());
  EXPECT_EQ(aws.entry(kEntry).base, 0x3b8b3e1bc1d1391cu);
  EXPECT_EQ(aws.entry(kEntry).hash, 0x3ffb040bu);
  EXPECT_EQ(azure.entry(kEntry).base, 0x610d4154d7a1540au);
  EXPECT_EQ(azure.entry(kEntry).hash, 0xd10e128cu);
  EXPECT_EQ(aws.entry("5").base, 0xb491aafb1a034c78u);
  EXPECT_EQ(aws.entry(R"({"message":"m"})").base, 0x13cc33ab6d1afc2cu);
}

TEST(Identity, IsTheSameHoweverItIsSpelled) {
  test::LogText aws(test::aws());
  const auto digest = [&](std::string_view raw) {
    const Entry& entry = aws.entry(raw);
    return std::pair(entry.base, entry.hash);
  };
  const auto usual = digest(R"({"logTime":"2020-06-20T19:12:00.3988","status":"Success","message":"Abc"})");
  for (
      const std::string_view raw :
      {R"({"message":"Abc","status":"Success","logTime":"2020-06-20T19:12:00.398800"})",
       R"({"message":"\u0041bc","st\u0061tus":"Succ\u0065ss","logTime":"2020-06-20T19:12:00.3988Z"})",
       R"({"logTime":"2020-06-20T21:12:00.3988+02:00","status":"Success","message":"Abc","x":1,"executionStartTime":null})"}) {
    EXPECT_EQ(digest(raw), usual) << raw;
  }
}

// .NET shows seven digits, the database behind it keeps six.
TEST(Identity, HoldsTimesToTheMicrosecond) {
  test::LogText azure(test::azure());
  const auto digest = [&](std::string_view log_time, std::string_view start) {
    const Entry& entry = azure.entry(fmt::format(
        R"({{"logTime":"{}","status":"Success","message":"m","executionStartTime":"{}"}})", log_time, start));
    return std::pair(entry.base, entry.hash);
  };
  const auto usual = digest("2020-06-20T19:12:00.123456", "2020-06-20T19:12:00.000001");
  EXPECT_EQ(digest("2020-06-20T19:12:00.1234567", "2020-06-20T19:12:00.0000019Z"), usual);
  EXPECT_EQ(digest("2020-06-20T19:12:00.123456999", "2020-06-20T19:12:00.000001"), usual);
  EXPECT_NE(digest("2020-06-20T19:12:00.123457", "2020-06-20T19:12:00.000001").first, usual.first);
  EXPECT_NE(digest("2020-06-20T19:12:00.123456", "2020-06-20T19:12:00.000002").second, usual.second);
}

TEST(Identity, HoldsNoFieldThatIsContent) {
  test::LogText aws(test::aws());
  const Entry one = aws.entry(R"({"logTime":"2020-06-20T19:12:00","status":"Success","message":"m"})");
  const std::uint64_t base = one.base;
  const std::uint32_t hash = one.hash;
  const Entry& other = aws.entry(R"({"logTime":"2020-06-20T19:12:09","status":"Success","message":"m"})");
  EXPECT_EQ(other.base, base) << "logTime is when the row was last written";
  EXPECT_NE(other.hash, hash);
}

TEST(Identity, TakesAStartInTheYearOneForNone) {
  test::LogText aws(test::aws());
  const auto digest = [&](std::string_view fields) {
    const Entry& entry =
        aws.entry(fmt::format(R"({{"logTime":"2020-06-20T19:12:00","status":"Success","message":"m"{}}})", fields));
    EXPECT_EQ(entry.fault, nullptr);
    EXPECT_FALSE(entry.start);
    return std::pair(entry.base, entry.hash);
  };
  EXPECT_EQ(digest(R"(,"executionStartTime":"0001-01-01T00:00:00")"), digest(""));
  EXPECT_EQ(digest(R"(,"executionStartTime":"0001-01-01T00:00:00.0000000+02:00")"), digest(""));
  const Entry& log_time = aws.entry(R"({"logTime":"0001-01-01T00:00:00","status":"Success","message":"m"})");
  EXPECT_EQ(log_time.log_time->instant, (Instant{-62'135'596'800, 0})) << "it stays as it is written";
}

// Golden vectors of the version before, from its own tests and from what it read.
TEST(Identity, KnowsWhatEntriesWereBefore) {
  test::LogText aws(test::aws()), azure(test::azure());
  const FormerDigest plain = aws.former_of(kEntry);
  EXPECT_EQ(plain.base, 0x3b8b3e1bc1d1391cu) << "nothing in it is read in another way";
  EXPECT_EQ(plain.hash, 0x3ffb040bu);
  HashInput input;
  input.add_time({1'592'680'320, 123'456'700});
  input.add_text("m");
  EXPECT_EQ(aws.former_of(R"({"logTime":"2020-06-20T19:12:00.1234567","status":"Success","message":"m"})").base,
            input.entry_base(test::kSessionKey))
      << "the log time stood in for a start";
  input.clear();
  input.add_time({-62'135'596'800, 0});
  input.add_text("m");
  EXPECT_EQ(
      aws.former_of(R"({"logTime":"2020-06-20T19:12:00","message":"m","executionStartTime":"0001-01-01T00:00:00"})")
          .base,
      input.entry_base(test::kSessionKey));
  const std::string_view at = R"({"logTime":"2020-06-20T19:12:00.123457","status":"Success","message":"m"})";
  const std::uint64_t earlier =
      azure.entry(R"({"logTime":"2020-06-20T19:12:00.123456","status":"Success","message":"m"})").base;
  EXPECT_EQ(azure.former_of(at).earlier, earlier);
}

TEST(Identity, IgnoresTicksUntilTheStatusIsFinal) {
  test::LogText aws(test::aws());
  const auto hash = [&](std::string status, std::string time) {
    return aws
        .entry(R"({"executionStartTime":"2020-06-20T19:00:00","message":"m","status":")" + status +
               R"(","logTime":"2020-06-20T19:12:0)" + time + "\"}")
        .hash;
  };
  EXPECT_EQ(hash("Running", "1"), hash("Running", "2"));
  EXPECT_NE(hash("Success", "1"), hash("Success", "2"));
  EXPECT_NE(hash("Sideways", "1"), hash("Sideways", "2"));
  EXPECT_NE(hash("Running", "1"), hash("RunningWithError", "1"));
}

TEST(Entry, KeepsItsIdentityWhenItCannotBeRead) {
  test::LogText aws(test::aws());
  for (const std::string_view raw :
       {"5", "\"x\"", "[]", "{}", R"({"logTime":"soon"})", R"({"logTime":5})",
        R"({"logTime":"2020-06-20T19:12:00","status":1})", R"({"logTime":"2020-06-20T19:12:00","message":{}})",
        R"({"logTime":"2020-06-20T19:12:00","executionStartTime":""})",
        R"({"logTime":"2020-06-20T19:12:00","executionDuration":[]})"}) {
    const Entry first = aws.entry(raw);
    EXPECT_NE(first.fault, nullptr) << raw;
    const std::uint64_t base = first.base;
    EXPECT_EQ(aws.entry(raw).base, base) << raw;
  }
}

}  // namespace
}  // namespace sessionlogd
