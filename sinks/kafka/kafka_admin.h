// One admin request to the brokers and its result.
#pragma once

#include <librdkafka/rdkafka.h>

#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_ptr.h"

namespace sessionlogd {

// Sends a request by `send(options, queue)` and waits for its result, which is an error after `most_ms`; none when
// librdkafka says nothing.
template <class Send>
KafkaEventPtr ask_admin(const KafkaClient& client, rd_kafka_admin_op_t operation, int most_ms, const Send& send) {
  const KafkaQueuePtr queue(rd_kafka_queue_new(client.get()));
  const KafkaPtr<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy> options(
      rd_kafka_AdminOptions_new(client.get(), operation));
  char reason[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), most_ms, reason, sizeof reason);
  send(options.get(), queue.get());
  return KafkaEventPtr(rd_kafka_queue_poll(queue.get(), most_ms + 1'000));
}

}  // namespace sessionlogd
