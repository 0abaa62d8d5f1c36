// What `sessionlogd check --connect` finds out about a Kafka sink, without disturbing a daemon that runs.
#pragma once

#include <vector>

#include "config/settings.h"
#include "core/state/sink_acts.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

// Asks for the brokers and both topics, tries the right to write in transactions that it aborts, under the id
// "<transactional_id>-check", and the right to read by looking for the daemon's last commit. Names each right that is
// missing. In a group it compares the group's record with the configuration in place of a last commit, and asks whether
// the consumer group may be joined. Takes some seconds at most per question, 45 where a coordinator does not answer.
std::vector<SinkFinding> check_kafka(const KafkaSinkSettings& settings, const Format& format);

}  // namespace sessionlogd
