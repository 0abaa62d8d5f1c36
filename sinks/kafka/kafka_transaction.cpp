#include "sinks/kafka/kafka_transaction.h"

#include <algorithm>

#include "sinks/kafka/kafka_event.h"

namespace sessionlogd {
namespace {

// What a message takes in a batch beside its key and value: headers, lengths, and the batch's own head.
constexpr std::size_t kMessageOverhead = 1'024;

}  // namespace

KafkaTransaction::KafkaTransaction(const KafkaSinkSettings& settings, const Format& format,
                                   std::int32_t record_partition)
    : settings_(settings), format_(format), record_partition_(record_partition) {}

KafkaOutcome KafkaTransaction::write(std::span<const Batch> batches, const CommitRecord& record,
                                     const KafkaPlace& place, KafkaProducer& producer, Patience& patience) {
  const auto acknowledged = [&]() -> KafkaOutcome {
    return settings_.delivery == Delivery::kAtLeastOnce ? producer.flush(patience) : std::nullopt;
  };
  if (KafkaOutcome fault = producer.begin()) return fault;
  if (KafkaOutcome fault = add_events(batches, place, producer, patience)) return fault;
  if (KafkaOutcome fault = acknowledged()) return fault;
  if (KafkaOutcome fault = add_rows(batches, place, producer, patience)) return fault;
  if (KafkaOutcome fault = acknowledged()) return fault;
  return end_with(record, producer, patience);
}

KafkaOutcome KafkaTransaction::remove(const Rows& rows, const CommitRecord& record, KafkaProducer& producer,
                                      Patience& patience) {
  if (KafkaOutcome fault = producer.begin()) return fault;
  for (const auto& [key, partition] : rows) {
    if (KafkaOutcome fault = producer.add_row(key, {}, partition, patience)) return fault;
  }
  return end_with(record, producer, patience);
}

KafkaOutcome KafkaTransaction::add_events(std::span<const Batch> batches, const KafkaPlace& place,
                                          KafkaProducer& producer, Patience& patience) {
  KafkaEventWriter event(format_);
  for (const Batch& batch : batches) {
    event.set_session(batch);
    const std::size_t limit =
        place.message_limit - std::min(place.message_limit, event.key().size() + kMessageOverhead);
    std::string_view lines = batch.events;
    for (const EventRef& line : batch.index) {
      std::string_view value = lines.substr(0, line.size - 1);  // without its "\n"
      lines.remove_prefix(line.size);
      if (value.size() > limit) value = cut_.emplace_back(format_.cut(value, limit));
      event.set_event(line);
      if (KafkaOutcome fault = producer.add_event({event.key(), value, event.headers()}, patience)) return fault;
    }
  }
  return std::nullopt;
}

KafkaOutcome KafkaTransaction::add_rows(std::span<const Batch> batches, const KafkaPlace& place,
                                        KafkaProducer& producer, Patience& patience) {
  std::string key;
  for (const LatestRows::Row& row : latest_.of(batches)) {
    const std::int32_t partition = partition_of_source(*row.source_id, place.state_partitions);
    key.clear();
    append_row_key(*row.source_id, *row.record, key);
    if (KafkaOutcome fault = producer.add_row(key, row.record->value, partition, patience)) return fault;
  }
  return std::nullopt;
}

KafkaOutcome KafkaTransaction::end_with(const CommitRecord& record, KafkaProducer& producer, Patience& patience) {
  record_ = encode_commit(record);
  const std::string key = commit_key(settings_.transactional_id);
  if (KafkaOutcome fault = producer.add_row(key, record_, record_partition_, patience)) return fault;
  if (KafkaOutcome fault = producer.flush(patience)) return fault;
  return producer.commit(patience);
}

}  // namespace sessionlogd
