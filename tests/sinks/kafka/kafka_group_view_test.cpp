#include "sinks/kafka/kafka_group_view.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "sinks/kafka/kafka_conf.h"
#include "tests/sinks/kafka/mock_cluster.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

// Asked by rd_kafka_DescribeConsumerGroups(), librdkafka (2.0 to 2.8 and later) ends the process when it finds the
// coordinator after the time of the request is over.
TEST(KafkaGroupView, OfAGroupWhoseCoordinatorComesTooLateIsNotThereAndThatIsAll) {
  test::MockCluster cluster(2);
  KafkaSinkSettings settings = cluster.settings();
  settings.group = "g";
  cluster.coordinate(consumer_group_of(settings), 2);
  cluster.take_down(2);
  const KafkaClient client(KafkaClient::Kind::kConsumer, KafkaConf::reader(settings));
  EXPECT_FALSE(describe_group(client, settings, 300ms));
  cluster.bring_up(2);
  std::this_thread::sleep_for(3s);
  EXPECT_FALSE(describe_group(client, settings, 300ms)) << "brokers of librdkafka's own cannot";
}

}  // namespace
}  // namespace sessionlogd
