// The suite's own cluster of one broker, started once, and what every test asks of it.
#pragma once

#include <gtest/gtest.h>

#include "tests/kafka/broker.h"

namespace sessionlogd::test {

// Started at the first call.
Cluster& one_broker();

class KafkaTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    if (!Cluster::is_available(why_not)) GTEST_SKIP() << why_not;
  }
};

}  // namespace sessionlogd::test
