#include "sinks/kafka/kafka_delivered.h"

#include <fmt/format.h>

#include <stdexcept>
#include <stop_token>

#include "core/base/patience.h"
#include "core/base/timestamp.h"
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
    : settings_(settings),
      conf_(KafkaConf::reader(settings)),
      topic_(settings.topic),
      state_topic_(settings.state_topic) {}

std::optional<KafkaDelivered::LastCommit> KafkaDelivered::last_commit() {
  const std::int32_t partitions = partitions_of(state_topic_);
  if (partitions == 0) return std::nullopt;
  const std::vector<std::string> ids = ids_of(partitions);
  std::vector<KafkaReader::Wanted> records;
  for (const std::string& id : ids)
    records.push_back({kCommitPartition + static_cast<std::int32_t>(records.size()), commit_key(id)});
  // In a group some transaction is always open, and rows are read as far as they are visible, too.
  const auto until = settings_.group.empty() ? KafkaReader::Until::kEnd : KafkaReader::Until::kVisible;
  Patience most = patience(kMostBetweenRecords);
  if (const Result<void> found = KafkaReader(conf_, state_topic_, partitions).find_last(records, until, most); !found)
    throw std::runtime_error(found.error().detail);
  std::optional<LastCommit> last;
  std::optional<Instant> last_at;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!records[i].value || records[i].value->empty()) continue;
    CommitRecord record = decode_commit(*records[i].value);
    const auto time = parse_rfc3339(record.time);
    const std::optional<Instant> at = time ? std::optional(time->instant) : std::nullopt;
    if (is_of_the_founding(record) || (last && at <= last_at)) continue;
    last = LastCommit{ids[i], std::move(record)};
    last_at = at;
  }
  return last;
}

// The daemon's, or one of each partition.
std::vector<std::string> KafkaDelivered::ids_of(std::int32_t partitions) const {
  if (settings_.group.empty()) return {settings_.transactional_id};
  std::vector<std::string> ids;
  for (std::int32_t partition = 0; partition < partitions; ++partition)
    ids.push_back(transactional_id_of({partition, partitions}, state_topic_));
  return ids;
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
