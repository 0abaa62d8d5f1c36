// The two topics as the brokers know them, and what must hold before they are used.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "config/settings.h"
#include "core/base/patience.h"
#include "core/base/result.h"
#include "sinks/kafka/kafka_client.h"

namespace sessionlogd {

struct TopicShape {
  std::int32_t partitions = 0;
  int replicas = 0;  // the fewest of any partition
  int in_sync = 0;   // the fewest of any partition
  bool has_leaders = true;
};

// nullopt: no such topic, or none that we may see. Never creates one.
Result<std::optional<TopicShape>> look_up(const KafkaClient& client, const std::string& topic, Patience& patience);

// Its configuration by name. kRefused: the ACL DescribeConfigs is missing.
Result<std::map<std::string, std::string>> configuration_of(const KafkaClient& client, const std::string& topic,
                                                            Patience& patience);

// Compacted, as sinks/kafka/README.md says; kTryOut asks only whether we may. The error names the command to create it
// by hand.
enum class Creation { kReally, kTryOut };
Result<void> create_state_topic(const KafkaClient& client, const KafkaSinkSettings& settings, Creation creation,
                                Patience& patience);

// What the sink works with.
struct KafkaPlace {
  std::int32_t event_partitions = 0;
  std::int32_t state_partitions = 0;
  std::size_t message_limit = 0;  // bytes of a batch of messages that both topics take
};

// Creates the state topic when it is missing and we may. kTryLater while something is not there yet, kRefused when
// the state topic would forget what it holds.
Result<KafkaPlace> prepare_topics(const KafkaClient& client, const KafkaSinkSettings& settings, Patience& patience);

// Why events may not be taken at the moment, as far as the brokers tell; "" when they say nothing.
std::string find_trouble(const KafkaClient& client, const KafkaSinkSettings& settings, Patience& patience);

}  // namespace sessionlogd
