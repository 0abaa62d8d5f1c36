// The record of a group in its state topic: looked for by each member before it joins, and made by the first one, on a
// topic that holds nothing yet.
//
//   a first record ─▶ is anybody else there? ─▶ the record, and one in each partition for its first lane
//
// The first record comes before the look, as the first commit of a daemon without a group comes before its own: of two
// that begin at the same moment one sees the other. Founders shut each other out by their transactional id, and look
// again.
#pragma once

#include <deque>
#include <optional>
#include <stop_token>
#include <string>

#include "config/settings.h"
#include "core/base/patience.h"
#include "core/base/result.h"
#include "sinks/kafka/kafka_producer.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_views.h"

namespace sessionlogd {

class KafkaFounding {
 public:
  // They must stay. Waiting ends when `stop` is requested.
  KafkaFounding(const KafkaSinkSettings& settings, GroupBond bond, KafkaViews& views, std::stop_token stop);

  // kRefused: the topic belongs to somebody else, or holds something already. kTryLater: again.
  Result<GroupRecord> find_or_found();

 private:
  Result<std::optional<GroupRecord>> find(KafkaView& view, Patience& patience);
  Result<void> found(KafkaView& view, Patience& patience);
  Result<void> write(KafkaProducer& producer, std::int32_t partitions, Patience& patience);
  Result<void> write_records(KafkaProducer& producer, KafkaView& view, Patience& patience);
  Result<void> check_empty(KafkaView& view, Patience& patience);
  Result<void> check_events(KafkaView& view, Patience& patience);
  Result<void> check_alone() const;
  Error failed(KafkaProducer& producer, const KafkaFault& fault) const;
  CommitRecord by_us(std::int32_t partitions) const;

  const KafkaSinkSettings settings_;  // with the transactional id of founders
  const GroupBond bond_;
  KafkaViews& views_;
  const std::stop_token stop_;
  const std::string key_;
  std::deque<std::string> values_;  // what messages point to: longer than a producer
};

}  // namespace sessionlogd
