#include "sinks/kafka/kafka_delivered.h"

#include <fmt/format.h>

#include <stdexcept>
#include <stop_token>

#include "core/base/patience.h"
#include "sinks/kafka/kafka_event.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_topics.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kMostToAnswer{10'000};
constexpr std::chrono::milliseconds kMostBetweenRecords{30'000};

Patience patience(std::chrono::milliseconds most) { return Patience(std::stop_token(), most, most); }

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().detail);
  return std::move(*result);
}

}  // namespace

KafkaDelivered::KafkaDelivered(const KafkaSinkSettings& settings)
    : conf_(KafkaConf::reader(settings)), topic_(settings.topic), state_topic_(settings.state_topic) {}

std::optional<CommitRecord> KafkaDelivered::last_commit(std::string_view transactional_id) {
  const std::int32_t partitions = partitions_of(state_topic_);
  if (partitions == 0) return std::nullopt;
  KafkaReader reader(conf_, state_topic_, partitions);
  Patience most = patience(kMostBetweenRecords);
  return value_of(reader.last_commit(transactional_id, kCommitPartition, KafkaReader::Until::kEnd, most));
}

void KafkaDelivered::read_state(StateVisitor& into) {
  const std::int32_t partitions = partitions_of(state_topic_);
  if (partitions == 0) return;
  KafkaReader reader(conf_, state_topic_, partitions);
  Patience most = patience(kMostBetweenRecords);
  const auto visit = [&](const KafkaReader::Record& record) {
    visit_row(state_topic_, record.key, record.value, into);
  };
  value_of(reader.read_visible(std::nullopt, visit, most));
}

ReadBack KafkaDelivered::read_events(Instant since, const std::function<void(const Delivered&)>& take) {
  const std::int32_t partitions = partitions_of(topic_);
  if (partitions == 0) throw std::runtime_error(fmt::format("topic {} does not exist, or may not be seen", topic_));
  KafkaReader reader(conf_, topic_, partitions);
  KafkaEventReader events;
  ReadBack read{.where = fmt::format("{} partitions of topic {}", partitions, topic_), .gone = {}};
  const auto visit = [&](const KafkaReader::Record& record) {
    const std::optional<Delivered> event =
        events.read(record.key, record.value, [&](const char* name) { return record.header(name); });
    if (!event) return;
    ++read.events;
    take(*event);
  };
  Patience most = patience(kMostBetweenRecords);
  const KafkaReader::Reach reach = value_of(reader.read_visible(since, visit, most));
  if (!reach.since_is_held) read.gone = "older records";
  return read;
}

std::int32_t KafkaDelivered::partitions_of(const std::string& topic) const {
  const KafkaClient client(KafkaClient::Kind::kConsumer, conf_);
  Patience most = patience(kMostToAnswer);
  const std::optional<TopicShape> shape = value_of(look_up(client, topic, most));
  return shape ? shape->partitions : 0;
}

}  // namespace sessionlogd
