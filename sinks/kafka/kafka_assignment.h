// What a member of a consumer group was assigned, as brokers tell it: version (int16), then of each topic its name
// (int16 length) and its partitions (int32 each), with int32 counts, all big endian (Kafka's protocol,
// ConsumerProtocolAssignment); what versions add stands behind that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sessionlogd {

using KafkaAssignment = std::vector<std::pair<std::string, std::vector<std::int32_t>>>;  // topic and partitions

// Empty where it is cut short or none at all.
KafkaAssignment read_assignment(std::string_view bytes);

}  // namespace sessionlogd
