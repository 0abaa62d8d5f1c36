// The producing side: one transaction after the other, each holding what one commit holds.
//
// A call that must wait does so in slices, so that it ends when its patience does. What was not finished by then is
// left to the next producer, since librdkafka cannot take a call back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/patience.h"
#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_event.h"

namespace sessionlogd {

class KafkaProducer {
 public:
  KafkaProducer(const KafkaConf& conf, const KafkaSinkSettings& settings);
  ~KafkaProducer();

  struct EventMessage {
    std::string_view key, value;
    std::span<const KafkaHeader> headers;
  };

  // Ends whatever a predecessor with our transactional id left open, and shuts it out.
  KafkaOutcome init(Patience& patience);

  KafkaOutcome begin();

  // Values are not copied: they must stay until flush() or abort() went well, or this is destroyed. Keys and
  // headers are.
  KafkaOutcome add_event(const EventMessage& event, Patience& patience);
  KafkaOutcome add_row(std::string_view key, std::string_view value, std::int32_t partition, Patience& patience);

  // Everything added is with the brokers.
  KafkaOutcome flush(Patience& patience);
  KafkaOutcome commit(Patience& patience);
  KafkaOutcome abort(Patience& patience);

  std::string take_last_fault() { return client_.take_last_fault(); }

 private:
  template <class Produce>
  KafkaOutcome add(const Produce& produce, Patience& patience);
  KafkaOutcome lost_message();
  KafkaFault why_stopped(KafkaFault heard, Patience& patience);

  // In order of construction: topics end before the client.
  const bool transactional_;
  bool in_transaction_ = false;
  KafkaClient client_;
  KafkaTopicPtr events_, state_;
};

}  // namespace sessionlogd
