#include "sinks/kafka/kafka_rows.h"

#include <gtest/gtest.h>

#include "core/state/sink.h"

namespace sessionlogd {
namespace {

TEST(KafkaRows, AddressIsReadBackFromTheKey) {
  for (const std::int32_t part : {StateRecord::kSourcePart, StateRecord::kSessionPart, 0, 7, 2'000'000'000}) {
    std::string key;
    append_row_key("aws-eu.1", {0xfedc'ba98'7654'3210, part, "x"}, key);
    const auto address = parse_row_key(key);
    ASSERT_TRUE(address) << key;
    EXPECT_EQ(address->source_id, "aws-eu.1");
    EXPECT_EQ(address->session_key, 0xfedc'ba98'7654'3210u);
    EXPECT_EQ(address->part, part);
    EXPECT_FALSE(is_commit_key(key));
  }
}

// State of people who upgrade lies under these keys, in these partitions.
TEST(KafkaRows, KeysAndPartitionsAreTheSameForEver) {
  std::string key;
  append_row_key("aws-eu", {0x1f, 3, "x"}, key);
  EXPECT_EQ(key, "aws-eu/000000000000001f/3");
  EXPECT_EQ(commit_key("sessionlogd-fra1"), "commit/sessionlogd-fra1");
  EXPECT_EQ(partition_of_source("aws-eu", 12), 2);
  EXPECT_EQ(partition_of_source("21", 1'000), 1'173'551'340 % 1'000);  // as Kafka's own clients hash "21"
  EXPECT_EQ(kCommitPartition, 0);
}

TEST(KafkaRows, WhatIsNoRowIsNotTakenForOne) {
  for (const char* key :
       {"", "/", "a", "a/b", "commit/id", "a/000000000000001f/", "a/000000000000001f/x", "a/00000000000001f/0",
        "/000000000000001f/0", "a/000000000000001g/0", "a/000000000000001f/0 "}) {
    EXPECT_FALSE(parse_row_key(key)) << key;
  }
  EXPECT_TRUE(is_commit_key("commit/id"));
  EXPECT_FALSE(is_commit_key("commit/000000000000001f/0"));
}

TEST(KafkaRows, ACommitRecordIsReadBack) {
  const CommitRecord read = decode_commit(encode_commit({18'000'000'000'000'000'000u, "i\"n", "host", "time", 12}));
  EXPECT_EQ(read.sequence, 18'000'000'000'000'000'000u);
  EXPECT_EQ(read.instance, "i\"n");
  EXPECT_EQ(read.host, "host");
  EXPECT_EQ(read.time, "time");
  EXPECT_EQ(read.partitions, 12);
  for (const char* other : {"", "{}", "null", R"({"sequence":"1"})", R"({"sequence":1,"instance":"","host":""})"})
    EXPECT_THROW(decode_commit(other), StateMismatch) << other;
}

// A lane's holds more, and whoever knows no lanes reads what it knows.
TEST(KafkaRows, ALanesCommitRecordIsReadBack) {
  CommitRecord lane{7, "i", "h", "t", 12};
  EXPECT_EQ(encode_commit(lane).find("version"), std::string::npos);
  lane.version = kLaneVersion;
  lane.log_start = 4'711;
  lane.bond = {"g\"", "events", "ecs"};
  const CommitRecord read = decode_commit(encode_commit(lane));
  EXPECT_EQ(read.log_start, 4'711);
  EXPECT_EQ(read.bond, lane.bond);
  EXPECT_EQ(read.sequence, 7u);
  lane.version = kLaneVersion + 1;
  EXPECT_THROW(decode_commit(encode_commit(lane)), StateMismatch);
}

TEST(KafkaRows, AGroupsRecordIsReadBackAndKeepsOthersOut) {
  EXPECT_EQ(group_key("s"), "commit/s-group");
  EXPECT_TRUE(is_commit_key(group_key("s")));
  const std::string value = encode_group({12, {"fra1", "events", "ecs"}}, {0, "i", "h", "t", 0});
  const GroupRecord read = decode_group(value);
  EXPECT_EQ(read.partitions, 12);
  EXPECT_EQ(read.bond, (GroupBond{"fra1", "events", "ecs"}));
  EXPECT_EQ(decode_commit(value).partitions, 12);
  EXPECT_THROW(refuse_group("s", value), StateMismatch);
  EXPECT_NO_THROW(refuse_group("s", ""));
}

}  // namespace
}  // namespace sessionlogd
