#include "sinks/kafka/kafka_group_view.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_topics.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kMostForOthers{1'000};  // for each thing that is asked of another group
constexpr int kMostGroups = 3;                              // that are asked about, when each takes as long as it may

using GroupAnswer = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

// What the brokers say to a request of that kind; nullptr: nothing in time.
template <class Ask>
GroupAnswer ask_about_groups(const KafkaClient& client, rd_kafka_admin_op_t kind, std::chrono::milliseconds most,
                             const Ask& ask) {
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client.get());
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(client.get(), kind);
  char reason[256];
  const int most_ms = static_cast<int>(most.count());
  rd_kafka_AdminOptions_set_request_timeout(options, most_ms, reason, sizeof reason);
  ask(options, queue);
  GroupAnswer answer(rd_kafka_queue_poll(queue, most_ms + 500), rd_kafka_event_destroy);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  return answer;
}

// Members say who they are by their client id, "sessionlogd@host"; brokers only know addresses.
GroupMember member_of(const rd_kafka_MemberDescription_t& member, const std::string& topic, std::string& other_topic) {
  GroupMember said;
  said.client_id = rd_kafka_MemberDescription_client_id(&member);
  said.member_id = rd_kafka_MemberDescription_consumer_id(&member);
  const std::size_t at = said.client_id.find('@');
  said.host = at == std::string::npos ? rd_kafka_MemberDescription_host(&member) : said.client_id.substr(at + 1);
  const rd_kafka_MemberAssignment_t* assignment = rd_kafka_MemberDescription_assignment(&member);
  const rd_kafka_topic_partition_list_t* list =
      assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    if (list->elems[i].topic == topic) {
      said.partitions.push_back(static_cast<Partition>(list->elems[i].partition));
    } else {
      other_topic = list->elems[i].topic;
    }
  }
  std::ranges::sort(said.partitions);
  return said;
}

Error not_described(const std::string& group, int code) {
  return Error(ErrorKind::kTryLater,
               fmt::format("consumer group {}: {}", group, describe(fault_of(code), "Describe on group " + group)));
}

// The state topics of consumer groups that are named as a group's with this name are.
std::vector<std::string> state_topics_with(const KafkaClient& client, const std::string& group,
                                           std::chrono::milliseconds most) {
  const GroupAnswer answer =
      ask_about_groups(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, most,
                       [&](auto* options, auto* queue) { rd_kafka_ListConsumerGroups(client.get(), options, queue); });
  std::vector<std::string> topics;
  if (!answer || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return topics;
  std::size_t count = 0;
  const rd_kafka_ConsumerGroupListing_t** groups =
      rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(answer.get()), &count);
  const std::string end = "-" + group;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = rd_kafka_ConsumerGroupListing_group_id(groups[i]);
    if (id.size() > end.size() && id.ends_with(end)) topics.push_back(id.substr(0, id.size() - end.size()));
  }
  return topics;
}

// nullopt: it has none, as far as we may see.
std::optional<GroupRecord> record_in(const KafkaClient& client, const KafkaSinkSettings& settings,
                                     std::chrono::milliseconds most) {
  Patience patience({}, most, most);
  const Result<std::optional<TopicShape>> shape = look_up(client, settings.state_topic, patience);
  if (!shape || !*shape) return std::nullopt;
  try {
    const Result<std::optional<GroupRecord>> record = visible_record(settings, (*shape)->partitions, patience);
    return record ? *record : std::nullopt;
  } catch (const StateMismatch&) {
    return std::nullopt;
  }
}

}  // namespace

Result<std::optional<GroupRecord>> visible_record(const KafkaSinkSettings& settings, std::int32_t partitions,
                                                  Patience& patience) {
  KafkaReader reader(KafkaConf::reader(settings), settings.state_topic, partitions);
  const Result<std::optional<std::string>> value =
      reader.last_value(group_key(settings.state_topic), kCommitPartition, KafkaReader::Until::kVisible, patience);
  if (!value) return value.error();
  if (!*value || (*value)->empty()) return std::optional<GroupRecord>();
  return std::optional(decode_group(**value));
}

Result<KafkaGroupView> describe_group(const KafkaClient& client, const KafkaSinkSettings& settings,
                                      std::chrono::milliseconds most) {
  const std::string group = consumer_group_of(settings);
  const GroupAnswer answer =
      ask_about_groups(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, most, [&](auto* options, auto* queue) {
        const char* names[] = {group.c_str()};
        rd_kafka_DescribeConsumerGroups(client.get(), names, 1, options, queue);
      });
  if (!answer) return not_described(group, RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (const auto error = rd_kafka_event_error(answer.get())) return not_described(group, error);
  std::size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** groups =
      rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(answer.get()), &count);
  if (count != 1) return not_described(group, RD_KAFKA_RESP_ERR__FAIL);
  const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
  if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) return KafkaGroupView();
  if (error != nullptr) return not_described(group, rd_kafka_error_code(error));
  // While it rebalances, brokers say nothing of who has what.
  const rd_kafka_consumer_group_state_t state = rd_kafka_ConsumerGroupDescription_state(groups[0]);
  if (state == RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE ||
      state == RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE)
    return not_described(group, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
  KafkaGroupView view;
  for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[0]); ++i)
    view.members.push_back(
        member_of(*rd_kafka_ConsumerGroupDescription_member(groups[0], i), settings.state_topic, view.other_topic));
  return view;
}

std::string mismatch_with_others(const KafkaSinkSettings& settings) {
  const KafkaClient client(KafkaClient::Kind::kConsumer, KafkaConf::reader(settings));
  const auto until = std::chrono::steady_clock::now() + kMostGroups * kMostForOthers;
  for (std::string& topic : state_topics_with(client, settings.group, kMostForOthers)) {
    if (topic == settings.state_topic) continue;
    if (std::chrono::steady_clock::now() >= until) break;  // many groups are named so
    KafkaSinkSettings other = settings;
    other.state_topic = topic;
    const Result<KafkaGroupView> view = describe_group(client, other, kMostForOthers);
    if (!view || view->members.empty()) continue;
    const std::optional<GroupRecord> record = record_in(client, other, kMostForOthers);
    if (!record || record->bond.topic != settings.topic) continue;
    return fmt::format(
        "topic {} belongs to group {} with state topic {}, which has members now; this configuration says state topic "
        "{}. All members need the same",
        settings.topic, settings.group, topic, settings.state_topic);
  }
  return {};
}

Result<std::vector<PartitionOwner>> owners_of(const KafkaSinkSettings& settings, std::int32_t partitions,
                                              KafkaViews& views, std::chrono::milliseconds most) {
  Patience patience({}, most, most);
  const Result<std::shared_ptr<KafkaView>> view = views.open(patience);
  if (!view) return view.error();
  std::vector<KafkaReader::Wanted> records;
  for (std::int32_t partition = 0; partition < partitions; ++partition)
    records.push_back({partition, commit_key(transactional_id_of({partition, partitions}, settings.state_topic))});
  if (const Result<void> found = (*view)->state.find_last(records, KafkaReader::Until::kVisible, patience); !found) {
    views.discard(*view);
    return found.error();
  }
  std::vector<PartitionOwner> owners;
  for (const KafkaReader::Wanted& each : records) {
    PartitionOwner& owner = owners.emplace_back(PartitionOwner{static_cast<Partition>(each.partition), {}, {}, {}});
    if (!each.value || each.value->empty()) continue;
    const CommitRecord last = decode_commit(*each.value);
    owner.host = last.host;
    owner.incarnation = last.instance;
    if (const auto at = parse_rfc3339(last.time)) owner.committed_at = at->instant;
  }
  return owners;
}

}  // namespace sessionlogd
