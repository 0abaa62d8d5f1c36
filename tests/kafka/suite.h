// The suite's own cluster of one broker, started once, and what every test asks of it.
#pragma once

#include <gtest/gtest.h>

#include "tests/kafka/broker.h"

namespace sessionlogd::test {

// Started at the first call.
Cluster& one_broker();

using KafkaTest = testing::Test;

}  // namespace sessionlogd::test
