#include "sinks/kafka/kafka_group_view.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/kafka/kafka_admin.h"
#include "sinks/kafka/kafka_assignment.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_topics.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kMostForOthers{1'000};  // for each thing that is asked of another group
constexpr int kMostGroups = 3;                              // that are asked about, when each takes as long as it may

// Of a response that is cut short librdkafka gives what it has read.
const char* text_or_none(const char* text) { return text == nullptr ? "" : text; }

// Members say who they are by their client id, "sessionlogd@host"; brokers only know addresses.
GroupMember member_of(const rd_kafka_group_member_info& member, const std::string& topic, std::string& other_topic) {
  GroupMember said;
  said.client_id = text_or_none(member.client_id);
  said.member_id = text_or_none(member.member_id);
  const std::size_t at = said.client_id.find('@');
  said.host = at == std::string::npos ? text_or_none(member.client_host) : said.client_id.substr(at + 1);
  const std::string_view assigned(static_cast<const char*>(member.member_assignment),
                                  static_cast<std::size_t>(std::max(0, member.member_assignment_size)));
  for (const auto& [name, partitions] : read_assignment(assigned)) {
    if (name != topic) {
      other_topic = name;
      continue;
    }
    for (const std::int32_t partition : partitions) said.partitions.push_back(static_cast<Partition>(partition));
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
  const KafkaEventPtr answer =
      ask_admin(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, static_cast<int>(most.count()),
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

// Not by rd_kafka_DescribeConsumerGroups(): where the coordinator is found after the request's time-out, librdkafka
// (2.0 to 2.8 and later) ends the process. This call waits for its answers itself and drops those that come later.
Result<KafkaGroupView> describe_group(const KafkaClient& client, const KafkaSinkSettings& settings,
                                      std::chrono::milliseconds most) {
  const std::string group = consumer_group_of(settings);
  const rd_kafka_group_list* answer = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_list_groups(client.get(), group.c_str(), &answer, static_cast<int>(most.count()));
  const KafkaPtr<const rd_kafka_group_list, rd_kafka_group_list_destroy> list(answer);
  if (!list) return not_described(group, error);
  if (list->group_cnt == 0) return KafkaGroupView();
  const rd_kafka_group_info& found = list->groups[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return not_described(group, found.err);
  if (found.state == nullptr) return not_described(group, RD_KAFKA_RESP_ERR__BAD_MSG);
  // While it rebalances, brokers say nothing of who has what.
  const std::string_view state = found.state;
  if (state == "PreparingRebalance" || state == "CompletingRebalance")
    return not_described(group, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS);
  KafkaGroupView view;
  for (int i = 0; i < found.member_cnt; ++i)
    view.members.push_back(member_of(found.members[i], settings.state_topic, view.other_topic));
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
