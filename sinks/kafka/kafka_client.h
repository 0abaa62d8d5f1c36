// One instance of librdkafka: made, named, and destroyed with everything that is still in it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sinks/kafka/kafka_conf.h"
#include "sinks/kafka/kafka_error.h"

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_topic_partition_list_s;

namespace sessionlogd {

class KafkaClient {
 public:
  enum class Kind { kProducer, kConsumer };

  // Connects in the background. Throws WrongSetting when librdkafka refuses the properties as a whole.
  KafkaClient(Kind kind, const KafkaConf& conf);

  // A consumer of a group. `on_rebalance` is called within rd_kafka_consumer_poll(), with an error code of librdkafka's
  // that says what is asked for. Its end is no orderly one: who has not left before is missed by the group.
  using OnRebalance = std::function<void(int code, rd_kafka_topic_partition_list_s& partitions)>;
  KafkaClient(const KafkaConf& conf, OnRebalance on_rebalance);

  ~KafkaClient();
  KafkaClient(KafkaClient&&) noexcept;
  KafkaClient& operator=(KafkaClient&&) noexcept;

  rd_kafka_s* get() const { return handle_; }

  // The first message that was given up since the last call, and why. Found by rd_kafka_poll() and rd_kafka_flush().
  KafkaOutcome take_lost_message();

  // The transaction cannot be committed any more; why is told by the attempt.
  bool transaction_failed() const;

  // Of a transaction that is over.
  void forget_faults();

  // What librdkafka's log last said of a fault, and what is known beside that; "" when it said nothing.
  std::string take_last_fault() const;

 private:
  void start(Kind kind, const KafkaConf& conf);

  struct Hooks;  // what librdkafka's callbacks reach; its address must not change

  std::unique_ptr<Hooks> hooks_;
  rd_kafka_s* handle_ = nullptr;
};

struct KafkaTopicDeleter {
  void operator()(rd_kafka_topic_s* topic) const;
};
using KafkaTopicPtr = std::unique_ptr<rd_kafka_topic_s, KafkaTopicDeleter>;

// Throws std::runtime_error.
KafkaTopicPtr make_topic(const KafkaClient& client, const std::string& name);

}  // namespace sessionlogd
