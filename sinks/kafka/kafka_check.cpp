#include "sinks/kafka/kafka_check.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <unistd.h>

#include <charconv>
#include <stop_token>

#include "core/base/host_name.h"
#include "core/base/patience.h"
#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_group_check.h"
#include "sinks/kafka/kafka_producer.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_topics.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kMost{5'000};
constexpr int kSolidVersion = 0x02030000;  // below it, a producer may go fatal after a disconnect and is made anew

Patience patience() { return Patience(std::stop_token(), kMost, kMost); }

SinkFinding check_library(const KafkaConf& conf) {
  SinkFinding finding{"librdkafka", rd_kafka_version_str(), conf.known_obstacle(), true};
  if (!finding.fault.empty()) return finding;
  if (rd_kafka_version() >= kSolidVersion) return finding;
  finding.fault = "older than 2.3.0: a lost connection may cost a new producer; nothing is lost or repeated by it";
  return finding;
}

int number_of(const std::map<std::string, std::string>& configuration, const std::string& name) {
  int number = 1;
  if (const auto found = configuration.find(name); found != configuration.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

// What makes a topic less safe than it could be; "" = nothing.
std::string weakness(const TopicShape& shape, int min_in_sync) {
  if (shape.replicas < 2) return "one replica: a lost broker loses what it held";
  if (min_in_sync < 2) return "min.insync.replicas is 1: a leader that is lost may lose what only it held; 2 is usual";
  if (min_in_sync >= shape.replicas) return "min.insync.replicas equals the replicas: no broker may be missing";
  return {};
}

SinkFinding check_topic(const KafkaClient& client, const KafkaSinkSettings& settings, const std::string& topic) {
  const bool is_state = topic == settings.state_topic;
  SinkFinding finding{(is_state ? "state topic " : "topic ") + topic, "-", "", false};
  Patience most = patience();
  const Result<std::optional<TopicShape>> shape = look_up(client, topic, most);
  if (!shape) {
    finding.fault = shape.error().detail;
  } else if (!*shape && is_state) {
    const Result<void> may_be_created = create_state_topic(client, settings, Creation::kTryOut, most);
    finding.said = may_be_created ? "does not exist: the first start creates it" : "-";
    if (!may_be_created) finding.fault = may_be_created.error().detail;
  } else if (!*shape) {
    finding.fault = "does not exist, or may not be seen";
  } else {
    finding.said = fmt::format("{} partitions, {} replicas", (*shape)->partitions, (*shape)->replicas);
    const auto configuration = configuration_of(client, topic, most);
    if (!configuration) {
      finding.fault = configuration.error().detail;
      finding.warning = true;
      return finding;
    }
    const int min_in_sync = number_of(*configuration, "min.insync.replicas");
    finding.said += fmt::format(", min.insync.replicas {}", min_in_sync);
    finding.fault = weakness(**shape, min_in_sync);
    finding.warning = true;
    const auto policy = configuration->find("cleanup.policy");
    if (is_state && policy != configuration->end() && policy->second != "compact") {
      finding.fault = fmt::format("cleanup.policy is {}, must be compact", policy->second);
      finding.warning = false;
    }
  }
  return finding;
}

// What is aborted leaves a trace, too: the topic would not be empty any more to whoever may not read it. Where that
// cannot be told it is left alone.
bool is_untouched(const KafkaSinkSettings& settings, std::int32_t event_partitions) {
  Patience most = patience();
  const Result<bool> is_empty =
      KafkaReader(KafkaConf::reader(settings), settings.topic, event_partitions).is_empty(most);
  return !is_empty || *is_empty;
}

// Under an id of its own: under the daemon's it would shut the daemon out. Each topic in a transaction of its own,
// since librdkafka does not say which one was refused.
SinkFinding check_right_to_write(KafkaSinkSettings settings, std::int32_t event_partitions) {
  // Members may check at the same time.
  const std::string id = settings.group.empty()
                             ? settings.transactional_id + "-check"
                             : fmt::format("{}-check-{}-{}", settings.state_topic, host_name(), ::getpid());
  settings.transactional_id = id;
  SinkFinding finding{"transaction " + id, "aborted, as intended", "", false};
  std::vector<std::string> topics{settings.topic, settings.state_topic};
  if (!settings.group.empty() && is_untouched(settings, event_partitions)) {
    topics.erase(topics.begin());
    finding.said +=
        fmt::format("; not tried on topic {}, which is empty, as a group's first member must find it", settings.topic);
  }
  KafkaProducer producer(KafkaConf::producer(settings), settings);
  std::string right = "Write on the transactional id " + id + ", or better on the prefix of both ids";
  Patience first(std::stop_token(), kMostForCoordinator, kMostForCoordinator);
  KafkaOutcome fault = producer.init(first);
  Patience most = patience();
  for (const std::string& topic : topics) {
    if (fault) break;
    right = "Write on topic " + topic;
    fault = producer.begin();
    if (!fault) {
      fault = topic == settings.topic ? producer.add_event({id, "{}", {}}, most)
                                      : producer.add_row(commit_key(id), "{}", kCommitPartition, most);
    }
    if (!fault) fault = producer.flush(most);
    if (!fault) fault = producer.abort(most);
  }
  if (!fault) return finding;
  finding.said = "-";
  finding.fault = describe(*fault, right);
  if (const std::string said = producer.take_last_fault(); !said.empty()) finding.fault += "; librdkafka: " + said;
  return finding;
}

// Behind the other, which leaves something to read in any case.
SinkFinding check_right_to_read(const KafkaSinkSettings& settings, std::int32_t partitions) {
  const std::string& id = settings.transactional_id;
  SinkFinding finding{"last commit of " + id, "none yet", "", false};
  Patience most = patience();
  KafkaReader reader(KafkaConf::reader(settings), settings.state_topic, partitions);
  const Result<std::optional<CommitRecord>> last =
      reader.last_commit(id, kCommitPartition, KafkaReader::Until::kEnd, most);
  if (!last) {
    finding.said = "-";
    finding.fault = last.error().detail;
  } else if (*last) {
    finding.said = fmt::format("{} by {} at {}", (*last)->sequence, (*last)->host, (*last)->time);
  }
  return finding;
}

}  // namespace

std::vector<SinkFinding> check_kafka(const KafkaSinkSettings& settings, const Format& format) {
  const KafkaConf conf = KafkaConf::reader(settings);
  std::vector<SinkFinding> findings{check_library(conf)};
  const KafkaClient client(KafkaClient::Kind::kConsumer, conf);
  findings.push_back(check_topic(client, settings, settings.topic));
  findings.push_back(check_topic(client, settings, settings.state_topic));
  Patience most = patience();
  const Result<std::optional<TopicShape>> events = look_up(client, settings.topic, most);
  const Result<std::optional<TopicShape>> state = look_up(client, settings.state_topic, most);
  if (!events && !state) return findings;  // what is asked of brokers that do not answer would only time out
  if (!settings.group.empty()) findings.push_back(check_right_to_join(settings));
  if (!events || !*events || !state || !*state) return findings;
  if (settings.delivery == Delivery::kExactlyOnce)
    findings.push_back(check_right_to_write(settings, (*events)->partitions));
  const std::int32_t partitions = (*state)->partitions;
  findings.push_back(settings.group.empty() ? check_right_to_read(settings, partitions)
                                            : check_group_record(settings, bond_of(settings, format.name), partitions));
  return findings;
}

}  // namespace sessionlogd
