#include "sinks/kafka/kafka_topics.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "sinks/kafka/kafka_admin.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kRequestSlice = 2'000ms;
constexpr std::size_t kUsualLimit = 1'000'000;  // librdkafka's own, a little below the brokers'
constexpr std::pair<const char*, const char*> kStateConfiguration[] = {
    {"cleanup.policy", "compact"},
    {"segment.bytes", "67108864"},
    {"min.cleanable.dirty.ratio", "0.1"},
    {"max.compaction.lag.ms", "3600000"},
};

// `right` is what the question needs: "Describe".
Error failed(ErrorKind kind, const std::string& topic, int code, const char* right) {
  return Error(
      kind, fmt::format("topic {}: {}", topic, describe(fault_of(code), fmt::format("{} on topic {}", right, topic))));
}

Error later(const std::string& topic, int code, const char* right) {
  return failed(ErrorKind::kTryLater, topic, code, right);
}

// Waiting helps only who changes a secret or a certificate.
bool is_refusal(const std::string& fault) {
  return fault.find("SASL authentication error") != fault.npos || fault.find("SSL handshake failed") != fault.npos;
}

// Why nobody answers is in librdkafka's log only: a wrong password looks like a broker that is down.
Error no_answer(const std::string& topic, int code, const std::string& fault) {
  std::string detail = fmt::format("topic {}: {}", topic, describe(fault_of(code, "no broker answers")));
  if (!fault.empty()) detail += "; librdkafka: " + fault;
  if (is_refusal(fault)) detail += ": look at the properties sasl.* and ssl.* and at the secrets they name";
  return Error(ErrorKind::kTryLater, std::move(detail));
}

std::string creation_command(const KafkaSinkSettings& settings, const std::string& topic) {
  std::string command = fmt::format("kafka-topics.sh --bootstrap-server {} --create --topic {} --partitions {}",
                                    settings.brokers, topic, settings.state_partitions);
  if (topic != settings.state_topic) return command;
  for (const auto& [name, value] : kStateConfiguration) command += fmt::format(" --config {}={}", name, value);
  return command;
}

std::size_t number_or(const std::map<std::string, std::string>& configuration, const std::string& name,
                      std::size_t otherwise) {
  const auto found = configuration.find(name);
  if (found == configuration.end()) return otherwise;
  std::size_t number = otherwise;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

// The configuration, or an empty one when we may not read it: a warning then says what is not known.
Result<std::map<std::string, std::string>> configuration_if_allowed(const KafkaClient& client, const std::string& topic,
                                                                    Patience& patience) {
  Result<std::map<std::string, std::string>> found = configuration_of(client, topic, patience);
  if (found || found.error().kind != ErrorKind::kRefused) return found;
  spdlog::warn("{}; its limits are taken to be Kafka's defaults", found.error().detail);
  return std::map<std::string, std::string>{};
}

Result<TopicShape> look_up_or_create(const KafkaClient& client, const KafkaSinkSettings& settings,
                                     const std::string& topic, Patience& patience) {
  for (;;) {
    const Result<std::optional<TopicShape>> shape = look_up(client, topic, patience);
    if (!shape) return shape.error();
    if (*shape) return **shape;
    if (topic != settings.state_topic) {
      return Error(ErrorKind::kTryLater, fmt::format("topic {} does not exist, or may not be seen: {}", topic,
                                                     creation_command(settings, topic)));
    }
    if (Result<void> created = create_state_topic(client, settings, Creation::kReally, patience); !created)
      return created.error();
    if (patience.over()) return Error(ErrorKind::kTryLater, fmt::format("topic {} was created just now", topic));
  }
}

}  // namespace

Result<std::optional<TopicShape>> look_up(const KafkaClient& client, const std::string& topic, Patience& patience) {
  const KafkaTopicPtr handle = make_topic(client, topic);
  const rd_kafka_metadata_t* answer = nullptr;
  rd_kafka_resp_err_t error;
  std::string fault;
  do {
    error = rd_kafka_metadata(client.get(), 0, handle.get(), &answer, patience.slice_ms(kRequestSlice));
    if (std::string said = client.take_last_fault(); !said.empty()) fault = std::move(said);
  } while ((error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__TIMED_OUT) && !is_refusal(fault) &&
           !patience.over());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return no_answer(topic, error, fault);
  const KafkaPtr<const rd_kafka_metadata_t, rd_kafka_metadata_destroy> metadata(answer);
  if (metadata->topic_cnt != 1) return no_answer(topic, RD_KAFKA_RESP_ERR__TIMED_OUT, client.take_last_fault());
  const rd_kafka_metadata_topic& found = metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::optional<TopicShape>();
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR && found.err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
    return later(topic, found.err, "Describe (Write includes it)");
  if (found.partition_cnt == 0) return std::optional<TopicShape>();
  TopicShape shape{found.partition_cnt, found.partitions[0].replica_cnt, found.partitions[0].isr_cnt, true};
  for (int i = 0; i < found.partition_cnt; ++i) {
    shape.replicas = std::min(shape.replicas, found.partitions[i].replica_cnt);
    shape.in_sync = std::min(shape.in_sync, found.partitions[i].isr_cnt);
    shape.has_leaders = shape.has_leaders && found.partitions[i].leader >= 0;
  }
  return std::optional(shape);
}

Result<std::map<std::string, std::string>> configuration_of(const KafkaClient& client, const std::string& topic,
                                                            Patience& patience) {
  const KafkaPtr<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy> resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const KafkaEventPtr event = ask_admin(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, patience.slice_ms(kRequestSlice),
                                        [&](auto* options, auto* queue) {
                                          rd_kafka_ConfigResource_t* one = resource.get();
                                          rd_kafka_DescribeConfigs(client.get(), &one, 1, options, queue);
                                        });
  const rd_kafka_DescribeConfigs_result_t* result = rd_kafka_event_DescribeConfigs_result(event.get());
  if (result == nullptr) return no_answer(topic, RD_KAFKA_RESP_ERR__TIMED_OUT, client.take_last_fault());
  if (const auto error = rd_kafka_event_error(event.get())) return later(topic, error, "DescribeConfigs");
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
  if (count != 1) return no_answer(topic, RD_KAFKA_RESP_ERR__TIMED_OUT, client.take_last_fault());
  if (const auto error = rd_kafka_ConfigResource_error(resources[0]))
    return failed(ErrorKind::kRefused, topic, error, "DescribeConfigs");
  std::map<std::string, std::string> found;
  std::size_t entries = 0;
  const rd_kafka_ConfigEntry_t** all = rd_kafka_ConfigResource_configs(resources[0], &entries);
  for (std::size_t i = 0; i < entries; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(all[i]);
    found[rd_kafka_ConfigEntry_name(all[i])] = value == nullptr ? "" : value;
  }
  return found;
}

Result<void> create_state_topic(const KafkaClient& client, const KafkaSinkSettings& settings, Creation creation,
                                Patience& patience) {
  constexpr int kBrokersDefault = -1;
  const std::string& topic = settings.state_topic;
  char reason[256];
  const KafkaPtr<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> wanted(rd_kafka_NewTopic_new(
      topic.c_str(), static_cast<int>(settings.state_partitions), kBrokersDefault, reason, sizeof reason));
  for (const auto& [name, value] : kStateConfiguration) rd_kafka_NewTopic_set_config(wanted.get(), name, value);
  const KafkaEventPtr event = ask_admin(
      client, RD_KAFKA_ADMIN_OP_CREATETOPICS, patience.slice_ms(kRequestSlice), [&](auto* options, auto* queue) {
        rd_kafka_NewTopic_t* one = wanted.get();
        rd_kafka_AdminOptions_set_validate_only(options, creation == Creation::kTryOut ? 1 : 0, reason, sizeof reason);
        rd_kafka_CreateTopics(client.get(), &one, 1, options, queue);
      });
  const rd_kafka_CreateTopics_result_t* result = rd_kafka_event_CreateTopics_result(event.get());
  if (result == nullptr) return no_answer(topic, RD_KAFKA_RESP_ERR__TIMED_OUT, client.take_last_fault());
  if (const auto error = rd_kafka_event_error(event.get())) return later(topic, error, "Create");
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results = rd_kafka_CreateTopics_result_topics(result, &count);
  const auto error = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && creation == Creation::kReally)
    spdlog::info("state topic {} was created", topic);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return {};
  return Error(ErrorKind::kTryLater,
               fmt::format("{}; it does not exist and could not be created: {}", later(topic, error, "Create").detail,
                           creation_command(settings, topic)));
}

Result<KafkaPlace> prepare_topics(const KafkaClient& client, const KafkaSinkSettings& settings, Patience& patience) {
  const Result<TopicShape> events = look_up_or_create(client, settings, settings.topic, patience);
  if (!events) return events.error();
  const Result<TopicShape> state = look_up_or_create(client, settings, settings.state_topic, patience);
  if (!state) return state.error();

  const auto of_state = configuration_if_allowed(client, settings.state_topic, patience);
  if (!of_state) return of_state.error();
  const auto of_events = configuration_if_allowed(client, settings.topic, patience);
  if (!of_events) return of_events.error();
  const auto policy = of_state->find("cleanup.policy");
  if (policy != of_state->end() && policy->second != "compact") {
    return Error(ErrorKind::kRefused,
                 fmt::format("state topic {} has cleanup.policy={}: it would forget what was delivered. "
                             "kafka-configs.sh --bootstrap-server {} --alter --topic {} --add-config "
                             "cleanup.policy=compact",
                             settings.state_topic, policy->second, settings.brokers, settings.state_topic));
  }
  return KafkaPlace{events->partitions, state->partitions,
                    std::min(number_or(*of_state, "max.message.bytes", kUsualLimit),
                             number_or(*of_events, "max.message.bytes", kUsualLimit))};
}

std::string find_trouble(const KafkaClient& client, const KafkaSinkSettings& settings, Patience& patience) {
  for (const std::string& topic : {settings.topic, settings.state_topic}) {
    const Result<std::optional<TopicShape>> shape = look_up(client, topic, patience);
    if (!shape) return shape.error().detail;
    if (!*shape) return fmt::format("topic {} is gone: {}", topic, creation_command(settings, topic));
    if (!(*shape)->has_leaders)
      return fmt::format("topic {} has partitions without a leader: bring brokers back", topic);
    const auto configuration = configuration_of(client, topic, patience);
    if (!configuration) continue;
    const auto needed = number_or(*configuration, "min.insync.replicas", 1);
    if (static_cast<std::size_t>((*shape)->in_sync) < needed) {
      return fmt::format("topic {}: {} replicas in sync, min.insync.replicas asks for {}: bring brokers back", topic,
                         (*shape)->in_sync, needed);
    }
  }
  return {};
}

}  // namespace sessionlogd
