#include "sinks/kafka/kafka_group_view.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_rows.h"

namespace sessionlogd {
namespace {

using GroupAnswer = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

GroupAnswer describe_group(const KafkaClient& client, const std::string& group, std::chrono::milliseconds most) {
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client.get());
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(client.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
  char reason[256];
  const int most_ms = static_cast<int>(most.count());
  rd_kafka_AdminOptions_set_request_timeout(options, most_ms, reason, sizeof reason);
  const char* names[] = {group.c_str()};
  rd_kafka_DescribeConsumerGroups(client.get(), names, 1, options, queue);
  GroupAnswer answer(rd_kafka_queue_poll(queue, most_ms + 500), rd_kafka_event_destroy);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  return answer;
}

// Members say who they are by their client id, "sessionlogd@host"; brokers only know addresses.
GroupMember member_of(const rd_kafka_MemberDescription_t& member, const std::string& topic) {
  GroupMember said;
  said.client_id = rd_kafka_MemberDescription_client_id(&member);
  said.member_id = rd_kafka_MemberDescription_consumer_id(&member);
  const std::size_t at = said.client_id.find('@');
  said.host = at == std::string::npos ? rd_kafka_MemberDescription_host(&member) : said.client_id.substr(at + 1);
  const rd_kafka_MemberAssignment_t* assignment = rd_kafka_MemberDescription_assignment(&member);
  const rd_kafka_topic_partition_list_t* list =
      assignment == nullptr ? nullptr : rd_kafka_MemberAssignment_partitions(assignment);
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    if (list->elems[i].topic == topic) said.partitions.push_back(static_cast<Partition>(list->elems[i].partition));
  }
  std::ranges::sort(said.partitions);
  return said;
}

Error not_described(const std::string& group, int code) {
  return Error(ErrorKind::kTryLater,
               fmt::format("consumer group {}: {}", group, describe(fault_of(code), "Describe on group " + group)));
}

}  // namespace

Result<std::vector<GroupMember>> members_of(const KafkaSinkSettings& settings, std::chrono::milliseconds most) {
  const std::string group = consumer_group_of(settings);
  const KafkaClient client(KafkaClient::Kind::kConsumer, KafkaConf::reader(settings));
  const GroupAnswer answer = describe_group(client, group, most);
  if (!answer) return not_described(group, RD_KAFKA_RESP_ERR__TIMED_OUT);
  if (const auto error = rd_kafka_event_error(answer.get())) return not_described(group, error);
  std::size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** groups =
      rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(answer.get()), &count);
  if (count != 1) return not_described(group, RD_KAFKA_RESP_ERR__FAIL);
  const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
  if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
    return std::vector<GroupMember>();
  if (error != nullptr) return not_described(group, rd_kafka_error_code(error));
  // While it rebalances, brokers say nothing of who has what.
  const rd_kafka_consumer_group_state_t state = rd_kafka_ConsumerGroupDescription_state(groups[0]);
  if (state == RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE ||
      state == RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE)
    return not_described(group, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
  std::vector<GroupMember> members;
  for (std::size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[0]); ++i)
    members.push_back(member_of(*rd_kafka_ConsumerGroupDescription_member(groups[0], i), settings.state_topic));
  return members;
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
