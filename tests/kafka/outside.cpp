#include "tests/kafka/outside.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>

#include "tests/daemon/child.h"

namespace sessionlogd::test {
namespace {

constexpr int kMostMs = std::chrono::milliseconds(kHangGuard).count();
constexpr int kMostForEndsMs = 10'000, kMostForMetadataMs = 10'000;  // then they are asked for anew

rd_kafka_t* make(rd_kafka_type_t type, std::map<std::string, std::string> properties) {
  properties.merge(std::map<std::string, std::string>{{"log_level", "0"}, {"reconnect.backoff.max.ms", "500"}});
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char reason[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(reason);
  }
  rd_kafka_t* made = rd_kafka_new(type, conf, reason, sizeof reason);
  if (made == nullptr) throw std::runtime_error(reason);
  return made;
}

void check(rd_kafka_resp_err_t error, const std::string& what) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(what + ": " + rd_kafka_err2name(error));
}

using EventPtr = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

EventPtr ask(rd_kafka_t* admin, const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& send) {
  rd_kafka_AdminOptions_t* patient = rd_kafka_AdminOptions_new(admin, RD_KAFKA_ADMIN_OP_ANY);
  char reason[256];
  check(rd_kafka_AdminOptions_set_request_timeout(patient, kMostMs, reason, sizeof reason), reason);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(admin);
  send(patient, queue);
  EventPtr event(rd_kafka_queue_poll(queue, kMostMs), rd_kafka_event_destroy);
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(patient);
  if (!event) throw std::runtime_error("the cluster does not answer");
  check(rd_kafka_event_error(event.get()), "an administrator's request");
  return event;
}

void check_topics(const rd_kafka_topic_result_t** results, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    check(rd_kafka_topic_result_error(results[i]), rd_kafka_topic_result_name(results[i]));
}

Message taken(const rd_kafka_message_t& from) {
  Message message{from.partition, from.offset, {static_cast<const char*>(from.key), from.key_len}, {}, true, {}};
  message.has_value = from.payload != nullptr;
  if (message.has_value) message.value.assign(static_cast<const char*>(from.payload), from.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&from, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return message;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    message.headers[name] = std::string(static_cast<const char*>(value), size);
  return message;
}

}  // namespace

Outside::Outside(std::string brokers)
    : brokers_(std::move(brokers)), admin_(make(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers_}})) {}

Outside::~Outside() { rd_kafka_destroy(admin_); }

// What the controller has done, brokers learn a moment later.
void Outside::wait_until_known(const std::function<bool()>& is_known) {
  if (!eventually(is_known)) throw std::runtime_error("the brokers do not know yet");
}

void Outside::create_topic(const std::string& topic, int partitions, const Configuration& configuration) {
  char reason[256];
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), partitions, -1, reason, sizeof reason);
  for (const auto& [name, value] : configuration) rd_kafka_NewTopic_set_config(wanted, name.c_str(), value.c_str());
  const EventPtr event =
      ask(admin_, [&](auto* options, auto* queue) { rd_kafka_CreateTopics(admin_, &wanted, 1, options, queue); });
  rd_kafka_NewTopic_destroy(wanted);
  std::size_t count = 0;
  auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  check_topics(results, count);
  wait_until_known([&] { return partitions_of(topic) == partitions; });
}

void Outside::delete_topic(const std::string& topic) {
  rd_kafka_DeleteTopic_t* unwanted = rd_kafka_DeleteTopic_new(topic.c_str());
  const EventPtr event =
      ask(admin_, [&](auto* options, auto* queue) { rd_kafka_DeleteTopics(admin_, &unwanted, 1, options, queue); });
  rd_kafka_DeleteTopic_destroy(unwanted);
  std::size_t count = 0;
  auto** results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  check_topics(results, count);
  wait_until_known([&] { return partitions_of(topic) == 0; });
}

void Outside::add_partitions(const std::string& topic, int partitions) {
  char reason[256];
  rd_kafka_NewPartitions_t* wanted =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(partitions), reason, sizeof reason);
  const EventPtr event =
      ask(admin_, [&](auto* options, auto* queue) { rd_kafka_CreatePartitions(admin_, &wanted, 1, options, queue); });
  rd_kafka_NewPartitions_destroy(wanted);
  std::size_t count = 0;
  auto** results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event.get()), &count);
  check_topics(results, count);
  wait_until_known([&] { return partitions_of(topic) == partitions; });
}

void Outside::configure_topic(const std::string& topic, const Configuration& configuration) {
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  for (const auto& [name, value] : configuration)
    rd_kafka_ConfigResource_set_config(resource, name.c_str(), value.c_str());
  const EventPtr event =
      ask(admin_, [&](auto* options, auto* queue) { rd_kafka_AlterConfigs(admin_, &resource, 1, options, queue); });
  rd_kafka_ConfigResource_destroy(resource);
  wait_until_known([&] {
    const Configuration now = configuration_of(topic);
    return std::ranges::all_of(configuration, [&](const auto& wanted) {
      const auto found = now.find(wanted.first);
      return found != now.end() && found->second == wanted.second;
    });
  });
}

Outside::Configuration Outside::configuration_of(const std::string& topic) {
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  const EventPtr event =
      ask(admin_, [&](auto* options, auto* queue) { rd_kafka_DescribeConfigs(admin_, &resource, 1, options, queue); });
  rd_kafka_ConfigResource_destroy(resource);
  Configuration found;
  std::size_t count = 0;
  auto** resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count != 1) return found;
  auto** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    found[rd_kafka_ConfigEntry_name(entries[i])] = value == nullptr ? "" : value;
  }
  return found;
}

// A topic's configuration reaches its log a moment after it is described.
void Outside::empty(const std::string& topic, std::int32_t partition) {
  rd_kafka_topic_partition_list_t* before = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(before, topic.c_str(), partition)->offset = RD_KAFKA_OFFSET_END;
  rd_kafka_DeleteRecords_t* unwanted = rd_kafka_DeleteRecords_new(before);
  rd_kafka_topic_partition_list_destroy(before);
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  wait_until_known([&] {
    const EventPtr event =
        ask(admin_, [&](auto* options, auto* queue) { rd_kafka_DeleteRecords(admin_, &unwanted, 1, options, queue); });
    error = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()))->elems[0].err;
    return error != RD_KAFKA_RESP_ERR_POLICY_VIOLATION;
  });
  rd_kafka_DeleteRecords_destroy(unwanted);
  check(error, topic);
}

void Outside::write(const std::string& topic, const std::vector<Message>& messages, std::int64_t time) {
  for (const Message& message : messages) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());  // the message's from here on
    for (const auto& [name, value] : message.headers)
      rd_kafka_header_add(headers, name.c_str(), -1, value.data(), static_cast<ssize_t>(value.size()));
    check(rd_kafka_producev(admin_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(message.partition),
                            RD_KAFKA_V_KEY(message.key.data(), message.key.size()),
                            RD_KAFKA_V_VALUE(const_cast<char*>(message.value.data()), message.value.size()),
                            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_TIMESTAMP(time),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
          topic);
  }
  check(rd_kafka_flush(admin_, kMostMs), topic);
}

bool Outside::has_part_in(const std::string& topic, int broker) {
  const int id = broker + 1;
  bool has_part = false;
  look_at(topic, [&](const rd_kafka_metadata_topic& found) {
    for (int i = 0; i < found.partition_cnt; ++i)
      has_part = has_part || found.partitions[i].leader < 0 || found.partitions[i].leader == id;
  });
  return has_part;
}

int Outside::coordinator_of(const std::string& group) {
  const rd_kafka_group_list* list = nullptr;
  if (rd_kafka_list_groups(admin_, group.c_str(), &list, kMostForMetadataMs) != RD_KAFKA_RESP_ERR_NO_ERROR) return -1;
  int broker = -1;
  for (int i = 0; i < list->group_cnt; ++i) {
    if (list->groups[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) broker = list->groups[i].broker.id - 1;
  }
  rd_kafka_group_list_destroy(list);
  return broker;
}

int Outside::partitions_of(const std::string& topic) {
  int partitions = 0;
  look_at(topic, [&](const rd_kafka_metadata_topic& found) { partitions = found.partition_cnt; });
  return partitions;
}

// What the cluster says of a topic, if there is one.
void Outside::look_at(const std::string& topic, const std::function<void(const rd_kafka_metadata_topic&)>& look) {
  const rd_kafka_metadata_t* metadata = nullptr;
  // A broker that was killed may be asked first.
  wait_until_known([&] {
    return rd_kafka_metadata(admin_, 1, nullptr, &metadata, kMostForMetadataMs) == RD_KAFKA_RESP_ERR_NO_ERROR;
  });
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    if (metadata->topics[i].topic == topic) look(metadata->topics[i]);
  }
  rd_kafka_metadata_destroy(metadata);
}

// By a client of its own each time: librdkafka 2.0.2 asks a leader that has gone again and again.
std::vector<std::int64_t> Outside::ends_of(const std::string& topic) {
  std::vector<std::int64_t> ends(static_cast<std::size_t>(partitions_of(topic)));
  wait_until_known([&] {
    const std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> witness(
        make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers_}, {"isolation.level", "read_uncommitted"}}),
        rd_kafka_destroy);
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(1);
    for (std::size_t i = 0; i < ends.size(); ++i)
      rd_kafka_topic_partition_list_add(all, topic.c_str(), static_cast<std::int32_t>(i))->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(witness.get(), all, kMostForEndsMs);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (all->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) error = all->elems[i].err;
      ends[i] = all->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(all);
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
  });
  return ends;
}

std::vector<Message> Outside::read(const std::string& topic, const std::string& isolation) {
  rd_kafka_t* consumer = make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers_},
                                                  {"group.id", "outside"},
                                                  {"isolation.level", isolation},
                                                  {"enable.auto.commit", "false"},
                                                  {"enable.partition.eof", "true"},
                                                  {"fetch.wait.max.ms", "100"}});
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(1);
  const std::vector<std::int64_t> ends = ends_of(topic);
  const int partitions = static_cast<int>(ends.size());
  for (int i = 0; i < partitions; ++i)
    rd_kafka_topic_partition_list_add(all, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer, all);
  std::vector<Message> messages;
  std::set<std::int32_t> ended;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kMostMs);
  while (ended.size() < static_cast<std::size_t>(partitions) && std::chrono::steady_clock::now() < deadline) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 1'000);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) messages.push_back(taken(*message));
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF &&
        message->offset >= ends[static_cast<std::size_t>(message->partition)])
      ended.insert(message->partition);
    rd_kafka_message_destroy(message);
  }
  rd_kafka_topic_partition_list_destroy(all);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  if (ended.size() < static_cast<std::size_t>(partitions)) throw std::runtime_error(topic + " has no end");
  return messages;
}

std::pair<std::int64_t, std::int64_t> Outside::span_of(const std::string& topic) {
  std::pair<std::int64_t, std::int64_t> sum{0, 0};
  const int partitions = partitions_of(topic);
  for (int i = 0; i < partitions; ++i) {
    std::int64_t low = 0, high = 0;
    check(rd_kafka_query_watermark_offsets(admin_, topic.c_str(), i, &low, &high, kMostMs), topic);
    sum.first += low;
    sum.second += high;
  }
  return sum;
}

}  // namespace sessionlogd::test
