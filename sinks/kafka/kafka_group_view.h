// What Kafka says of a group to anybody who asks: a member, or a command that joins nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "config/settings.h"
#include "core/state/lane_group.h"
#include "sinks/kafka/kafka_views.h"

namespace sessionlogd {

// Both wait for at most so long.
Result<std::vector<GroupMember>> members_of(const KafkaSinkSettings& settings, std::chrono::milliseconds most);

// From the lane records, so that it holds also while the group cannot be asked.
Result<std::vector<PartitionOwner>> owners_of(const KafkaSinkSettings& settings, std::int32_t partitions,
                                              KafkaViews& views, std::chrono::milliseconds most);

}  // namespace sessionlogd
