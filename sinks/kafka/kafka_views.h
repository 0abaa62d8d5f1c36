// What the lanes of one process see of Kafka when they begin and when they are in doubt: both topics, looked up once,
// and one pair of readers of the state topic. Lanes that need it at the same time share it.
//
// A new one is opened when nobody holds one, and when the last one failed its holder: librdkafka 2.0.2 remembers a
// leader that has gone as long as its client lives, and secrets may have changed.
#pragma once

#include <future>
#include <memory>
#include <mutex>

#include "config/settings.h"
#include "core/base/patience.h"
#include "core/base/result.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_topics.h"
#include "sinks/kafka/kafka_turns.h"

namespace sessionlogd {

struct KafkaView {
  KafkaPlace place;
  KafkaReader state;  // any thread; each partition is read by one at a time
};

class KafkaViews {
 public:
  explicit KafkaViews(KafkaSinkSettings settings);

  // Any thread, this and the next. As prepare_topics(); throws WrongSetting.
  Result<std::shared_ptr<KafkaView>> open(Patience& patience);

  // It failed its holder. Others who hold it go on with it.
  void discard(const std::shared_ptr<KafkaView>& view);

  // So many lanes read their state at once: each holds a turn meanwhile.
  static constexpr std::size_t kReadAtOnce = 4;
  KafkaTurns& turns() { return turns_; }

 private:
  using Opened = Result<std::shared_ptr<KafkaView>>;

  Opened make(Patience& patience) const;
  static Opened wait_for(const std::shared_future<Opened>& theirs, Patience& patience);

  const KafkaSinkSettings settings_;
  std::mutex mutex_;
  std::weak_ptr<KafkaView> current_;
  std::shared_future<Opened> opening_;  // while somebody opens one
  KafkaTurns turns_{kReadAtOnce};
};

}  // namespace sessionlogd
