// What one commit writes: the events of its batches, their changed rows, and behind them the commit record. All of it
// in one transaction; without one, in the order in which a crash in between loses nothing.
#pragma once

#include <deque>
#include <map>
#include <span>
#include <string>

#include "config/settings.h"
#include "core/base/patience.h"
#include "core/state/latest_rows.h"
#include "sinks/formats/formats.h"
#include "sinks/kafka/kafka_producer.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_topics.h"

namespace sessionlogd {

class KafkaTransaction {
 public:
  // The commit record's partition. The others must stay.
  KafkaTransaction(const KafkaSinkSettings& settings, const Format& format, std::int32_t record_partition);

  KafkaOutcome write(std::span<const Batch> batches, const CommitRecord& record, const KafkaPlace& place,
                     KafkaProducer& producer, Patience& patience);

  // Removes the rows that have these keys, in the partitions named for them.
  using Rows = std::map<std::string, std::int32_t, std::less<>>;
  KafkaOutcome remove(const Rows& rows, const CommitRecord& record, KafkaProducer& producer, Patience& patience);

  // Frees what messages point to, once none of them is left.
  void clear() { cut_.clear(); }

 private:
  KafkaOutcome add_events(std::span<const Batch> batches, const KafkaPlace& place, KafkaProducer& producer,
                          Patience& patience);
  KafkaOutcome add_rows(std::span<const Batch> batches, const KafkaPlace& place, KafkaProducer& producer,
                        Patience& patience);
  KafkaOutcome end_with(const CommitRecord& record, KafkaProducer& producer, Patience& patience);

  const KafkaSinkSettings& settings_;
  const Format& format_;
  const std::int32_t record_partition_;
  LatestRows latest_;
  // What messages point to, beside the batches.
  std::deque<std::string> cut_;  // events that were too large
  std::string record_;
};

}  // namespace sessionlogd
