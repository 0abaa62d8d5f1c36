#include "sinks/kafka_check.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <charconv>
#include <stop_token>

#include "sinks/kafka_client.h"
#include "sinks/kafka_producer.h"
#include "sinks/kafka_rows.h"
#include "sinks/kafka_topics.h"
#include "sinks/patience.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kMost{5'000};
constexpr int kSolidVersion = 0x02030000;  // below it, a producer may go fatal after a disconnect and is made anew

Patience patience() { return Patience(std::stop_token(), kMost, kMost); }

SinkFinding check_library() {
  SinkFinding finding{"librdkafka", rd_kafka_version_str(), "", false};
  if (rd_kafka_version() >= kSolidVersion) return finding;
  finding.fault = "older than 2.3.0: a lost connection may cost a new producer; nothing is lost or repeated by it";
  finding.warning = true;
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
  } else if (!*shape) {
    finding.fault = is_state ? "does not exist: it is created at the first start, if that is allowed"
                             : "does not exist, or may not be seen";
    finding.warning = is_state;
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

SinkFinding check_right_to_write(KafkaSinkSettings settings) {
  settings.transactional_id += "-check";
  SinkFinding finding{"transaction " + settings.transactional_id, "aborted, as intended", "", false};
  Patience most = patience();
  KafkaProducer producer(KafkaConf::producer(settings), settings);
  KafkaOutcome fault = producer.init(most);
  if (!fault) fault = producer.begin();
  if (!fault) fault = producer.add_event({settings.transactional_id, "{}", "", ""}, most);
  if (!fault) {
    fault = producer.add_row(commit_key(settings.transactional_id), "{}", kCommitPartition, most);
  }
  if (!fault) fault = producer.flush(most);
  if (!fault) fault = producer.abort(most);
  if (!fault) return finding;
  finding.said = "-";
  finding.fault = describe(*fault);
  if (const std::string said = producer.take_last_fault(); !said.empty()) finding.fault += "; librdkafka: " + said;
  return finding;
}

}  // namespace

std::vector<SinkFinding> check_kafka(const KafkaSinkSettings& settings) {
  std::vector<SinkFinding> findings{check_library()};
  const KafkaClient client(KafkaClient::Kind::kConsumer, KafkaConf::reader(settings));
  bool reached = true;
  for (const std::string& topic : {settings.topic, settings.state_topic}) {
    findings.push_back(check_topic(client, settings, topic));
    reached = reached && (findings.back().fault.empty() || findings.back().warning);
  }
  // A topic that is not there would only time out.
  const bool both_there = reached && findings.back().said != "-";
  if (both_there && settings.delivery == Delivery::kExactlyOnce) findings.push_back(check_right_to_write(settings));
  return findings;
}

}  // namespace sessionlogd
