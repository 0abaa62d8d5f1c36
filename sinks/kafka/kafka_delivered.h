// What a Kafka sink has delivered, as any reader of its topics sees it. Belongs to no group, writes nothing and knows
// no transactional id: a daemon that runs does not notice. Needs the right to read both topics.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/state/delivered_reader.h"
#include "sinks/kafka/kafka_conf.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_rows.h"

namespace sessionlogd {

class KafkaDelivered : public DeliveredReader {
 public:
  explicit KafkaDelivered(const KafkaSinkSettings& settings);

  struct LastCommit {
    std::string id;  // transactional
    CommitRecord record;
  };
  // By the daemon of this configuration; in a group by the lane that committed last, which the founding is none of.
  // nullopt: nobody has committed anything here.
  std::optional<LastCommit> last_commit();

  void read_state(StateVisitor& into) override;
  ReadBack read_events(Instant since, const std::function<void(const Delivered&)>& take) override;

 private:
  std::int32_t partitions_of(const std::string& topic) const;  // 0: no such topic

  std::vector<std::string> ids_of(std::int32_t partitions) const;

  const KafkaSinkSettings settings_;
  const KafkaConf conf_;
  const std::string topic_, state_topic_;
};

}  // namespace sessionlogd
