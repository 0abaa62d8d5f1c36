#include "core/identity.h"

#include <gtest/gtest.h>

#include "tests/core/log_text.h"

namespace sessionlogd {
namespace {

// Golden vectors: what is stored and sent everywhere rests on them. If one of these fails, the change would emit a
// whole fleet again.
TEST(Identity, KeepsTheKeysOfSessions) {
  EXPECT_EQ(session_key("aws-eu", "90faa259-fbf6-493a-b492-e59e1cfbe3a6"), 0xc1d0b22a5d702542u);
  EXPECT_EQ(session_key("aws-eu", "90faa259-fbf6-493a-b492-e59e1cfbe3a6", 1), 0x216b74ac97f2b32cu);
  EXPECT_EQ(session_key("", ""), 0x474292953285562eu);
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
