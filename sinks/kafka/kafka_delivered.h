// What a Kafka sink has delivered, as any reader of its topics sees it. Belongs to no group, writes nothing and knows
// no transactional id: a daemon that runs does not notice. Needs the right to read both topics.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/state/delivered_reader.h"
#include "sinks/kafka/kafka_conf.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_rows.h"

namespace sessionlogd {

class KafkaDelivered : public DeliveredReader {
 public:
  explicit KafkaDelivered(const KafkaSinkSettings& settings);

  // nullopt: that daemon never committed anything here.
  std::optional<CommitRecord> last_commit(std::string_view transactional_id);

  void read_state(StateVisitor& into) override;
  ReadBack read_events(Instant since, const std::function<void(const Delivered&)>& take) override;

 private:
  std::int32_t partitions_of(const std::string& topic) const;  // 0: no such topic

  const KafkaConf conf_;
  const std::string topic_, state_topic_;
};

}  // namespace sessionlogd
