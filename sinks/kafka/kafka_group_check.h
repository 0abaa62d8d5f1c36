// What `sessionlogd check --connect` finds out about the group of a Kafka sink. Joins nothing and leaves nothing
// behind.
#pragma once

#include <chrono>
#include <cstdint>

#include "config/settings.h"
#include "core/state/sink_acts.h"
#include "sinks/kafka/kafka_rows.h"

namespace sessionlogd {

// Until a coordinator answers: brokers make its topic when the first group, or the first transaction, asks for one.
inline constexpr std::chrono::milliseconds kMostForCoordinator{45'000};

// Whether this configuration says the same as the group's record, of a state topic that has so many partitions.
SinkFinding check_group_record(const KafkaSinkSettings& settings, const GroupBond& ours, std::int32_t partitions);

// Whether the consumer group may be joined, and no group of its name with another state topic delivers to our topic.
SinkFinding check_right_to_join(const KafkaSinkSettings& settings);

}  // namespace sessionlogd
