// What Kafka says of a group to anybody who asks: a member, or a command that joins nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/base/patience.h"
#include "core/state/lane_group.h"
#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_views.h"

namespace sessionlogd {

struct KafkaGroupView {
  std::vector<GroupMember> members;  // with their partitions of our state topic
  std::string other_topic;           // of which members have some, too; "" = none
};

// The group's record in the state topic of so many partitions, without waiting for open transactions; nullopt: it has
// none. Throws StateMismatch where it is none of ours.
Result<std::optional<GroupRecord>> visible_record(const KafkaSinkSettings& settings, std::int32_t partitions,
                                                  Patience& patience);

// All wait for at most so long for each thing that they ask. `client` is a consumer, which may be asked again unless it
// could not tell. A group without members may also be one of which the coordinator does not tell yet, or may not tell
// us.
Result<KafkaGroupView> describe_group(const KafkaClient& client, const KafkaSinkSettings& settings,
                                      std::chrono::milliseconds most);

// What is wrong when a group of our name with another state topic has members and delivers to our topic, "" = none that
// Kafka tells of: one that nobody is in, or that we may not see, is not found.
std::string mismatch_with_others(const KafkaSinkSettings& settings);

// From the lane records, so that it holds also while the group cannot be asked. Throws StateMismatch where one is none
// of ours.
Result<std::vector<PartitionOwner>> owners_of(const KafkaSinkSettings& settings, std::int32_t partitions,
                                              KafkaViews& views, std::chrono::milliseconds most);

}  // namespace sessionlogd
