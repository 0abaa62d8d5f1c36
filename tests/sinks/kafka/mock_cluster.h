// Brokers of librdkafka's own, which answer what they are told to.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <string>

#include "config/settings.h"

namespace sessionlogd::test {

class MockCluster {
 public:
  explicit MockCluster(int brokers) {
    char reason[512];
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof reason);
    cluster_ = rd_kafka_mock_cluster_new(host_, brokers);
    rd_kafka_mock_topic_create(cluster_, "t", 1, 1);
    rd_kafka_mock_topic_create(cluster_, "s", 1, 1);
  }
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(host_);
  }
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  KafkaSinkSettings settings() const {
    return {.brokers = rd_kafka_mock_cluster_bootstraps(cluster_),
            .topic = "t",
            .state_topic = "s",
            .transactional_id = "id",
            .delivery = Delivery::kExactlyOnce,
            .properties = {}};
  }

  void shut_out_twice() {
    constexpr std::int16_t kProduce = 0;  // of the protocol's calls
    rd_kafka_mock_push_request_errors(cluster_, kProduce, 2, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
  }
  // Brokers count from 1.
  void coordinate(const std::string& group, std::int32_t broker) {
    rd_kafka_mock_coordinator_set(cluster_, "group", group.c_str(), broker);
  }
  void take_down(std::int32_t broker) { rd_kafka_mock_broker_set_down(cluster_, broker); }
  void bring_up(std::int32_t broker) { rd_kafka_mock_broker_set_up(cluster_, broker); }

 private:
  rd_kafka_t* host_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace sessionlogd::test
