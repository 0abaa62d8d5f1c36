// Owners of what librdkafka hands out and takes back.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace sessionlogd {

template <auto Destroy>
struct KafkaDeleter {
  template <class T>
  void operator()(T* held) const {
    Destroy(held);
  }
};
template <class T, auto Destroy>
using KafkaPtr = std::unique_ptr<T, KafkaDeleter<Destroy>>;

using KafkaEventPtr = KafkaPtr<rd_kafka_event_t, rd_kafka_event_destroy>;
using KafkaMessagePtr = KafkaPtr<rd_kafka_message_t, rd_kafka_message_destroy>;
using KafkaPartitionsPtr = KafkaPtr<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using KafkaQueuePtr = KafkaPtr<rd_kafka_queue_t, rd_kafka_queue_destroy>;

}  // namespace sessionlogd
