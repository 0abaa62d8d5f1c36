#include "sinks/kafka/kafka_assignment.h"

#include <gtest/gtest.h>

#include <string>

namespace sessionlogd {
namespace {

using namespace std::string_literals;

const std::string kTwoTopics =
    "\0\1"
    "\0\0\0\2"
    "\0\5state\0\0\0\2\0\0\0\3\0\0\1\0"
    "\0\1t\0\0\0\0"
    "\xff\xff\xff\xff"s;  // no data of the member's own

TEST(KafkaAssignment, NamesTopicsAndTheirPartitions) {
  EXPECT_EQ(read_assignment(kTwoTopics), (KafkaAssignment{{"state", {3, 256}}, {"t", {}}}));
}

TEST(KafkaAssignment, IsNoneWhereItIsCutShort) {
  const std::size_t whole = kTwoTopics.size() - 4;
  for (std::size_t size = 0; size < whole; ++size)
    EXPECT_EQ(read_assignment(std::string_view(kTwoTopics).substr(0, size)), KafkaAssignment()) << size;
  EXPECT_EQ(read_assignment("\0\0\x7f\xff\xff\xff"s), KafkaAssignment()) << "of more topics than there are bytes";
  EXPECT_EQ(read_assignment("\0\0\0\0\0\1\xff\xff\0\0\0\0"s), KafkaAssignment()) << "a topic without a name";
}

}  // namespace
}  // namespace sessionlogd
