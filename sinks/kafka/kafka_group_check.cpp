#include "sinks/kafka/kafka_group_check.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>

#include "core/base/patience.h"
#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_group_view.h"
#include "sinks/kafka/kafka_ptr.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kMostForRecord{5'000};
constexpr std::chrono::milliseconds kCheckSlice{100};
constexpr std::int32_t kNoPartition = 1'000'000;

// A number of partitions that is only wished for is no fault.
void compare_record(const GroupRecord& record, const KafkaSinkSettings& settings, const GroupBond& ours,
                    std::int32_t partitions, SinkFinding& finding) {
  finding.said = fmt::format("group {}, topic {}, format {}, {} partitions", record.bond.group, record.bond.topic,
                             record.bond.format, record.partitions);
  finding.fault = mismatch_of(settings.state_topic, record.bond, ours);
  if (!finding.fault.empty()) return;
  if (partitions < record.partitions) {
    finding.fault = fmt::format("the state topic has only {} partitions: it was made anew", partitions);
  } else if (static_cast<std::uint64_t>(record.partitions) != settings.state_partitions) {
    finding.fault = fmt::format(
        "state_partitions is {} here, which changes nothing any more: is this the file of the "
        "other members?",
        settings.state_partitions);
    finding.warning = true;
  }
}

int take_error(const KafkaClient& member) {
  rd_kafka_message_t* message = rd_kafka_consumer_poll(member.get(), 0);
  if (message == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
  const int error = message->err;
  rd_kafka_message_destroy(message);
  return error;
}

// Asks to note a place in a partition that no topic has. Brokers look at the right first, and change nothing.
int answer_to_a_commit(const KafkaClient& member, const KafkaSinkSettings& settings, Patience& most) {
  const KafkaQueuePtr answers(rd_kafka_queue_new(member.get()));
  const KafkaPartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), settings.state_topic.c_str(), kNoPartition)->offset = 0;
  if (const auto error = rd_kafka_commit_queue(member.get(), offsets.get(), answers.get(), nullptr, nullptr))
    return error;
  KafkaEventPtr answer;
  while (!answer) {
    // Who may not even know of the group is told so here, and the commit waits for its coordinator.
    if (const int refused = take_error(member); refused == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) return refused;
    if (most.over()) return RD_KAFKA_RESP_ERR__TIMED_OUT;
    answer.reset(rd_kafka_queue_poll(answers.get(), most.slice_ms(kCheckSlice)));
  }
  if (const auto error = rd_kafka_event_error(answer.get())) return error;
  const rd_kafka_topic_partition_list_t* noted = rd_kafka_event_topic_partition_list(answer.get());
  return noted != nullptr && noted->cnt == 1 ? noted->elems[0].err : RD_KAFKA_RESP_ERR__FAIL;
}

// The group has no coordinator yet, or another one by now.
bool may_have_one_soon(int answer) {
  return answer == RD_KAFKA_RESP_ERR__WAIT_COORD || answer == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE ||
         answer == RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS || answer == RD_KAFKA_RESP_ERR_NOT_COORDINATOR;
}

// librdkafka holds a commit back for a session's time only.
int answer_of_the_coordinator(const KafkaSinkSettings& settings) {
  const KafkaClient member(KafkaConf::member(settings), [](int, auto&) {});
  Patience most(std::stop_token(), kMostForCoordinator, kMostForCoordinator);
  for (;;) {
    const int answer = answer_to_a_commit(member, settings, most);
    if (!may_have_one_soon(answer) || most.over()) return answer;
    std::this_thread::sleep_for(kCheckSlice);
  }
}

}  // namespace

SinkFinding check_group_record(const KafkaSinkSettings& settings, const GroupBond& ours, std::int32_t partitions) {
  SinkFinding finding{"group record of " + settings.state_topic, "none yet: the first member writes it", "", false};
  Patience most(std::stop_token(), kMostForRecord, kMostForRecord);
  try {
    const Result<std::optional<GroupRecord>> record = visible_record(settings, partitions, most);
    if (!record) {
      finding.said = "-";
      finding.fault = record.error().detail;
    } else if (*record && (*record)->partitions > 0) {
      compare_record(**record, settings, ours, partitions, finding);
    }
  } catch (const StateMismatch& mismatch) {
    finding.said = "-";
    finding.fault = mismatch.what();
  }
  return finding;
}

SinkFinding check_right_to_join(const KafkaSinkSettings& settings) {
  const std::string group = consumer_group_of(settings);
  SinkFinding finding{"consumer group " + group, "may be joined", "", false};
  const int answer = answer_of_the_coordinator(settings);
  // Of the topic's right the others tell.
  const bool may_be_joined =
      answer == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || answer == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
  finding.fault = may_be_joined ? mismatch_with_others(settings) : describe(fault_of(answer), "Read on group " + group);
  if (!finding.fault.empty()) finding.said = "-";
  return finding;
}

}  // namespace sessionlogd
