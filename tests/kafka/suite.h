// The suite's own clusters, each started once, and what every test asks of them.
#pragma once

#include <gtest/gtest.h>

#include "tests/kafka/broker.h"

namespace sessionlogd::test {

// Started at the first call.
Cluster& one_broker();
Cluster& three_brokers();

// How many times something is done to a daemon or a broker: SESSIONLOGD_KAFKA_ROUNDS (`./dev kafka ROUNDS`).
int rounds_or(int usual);

using KafkaTest = testing::Test;

// With three brokers.
class KafkaReplicas : public KafkaTest {};

}  // namespace sessionlogd::test
