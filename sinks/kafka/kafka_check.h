// What `sessionlogd check --connect` finds out about a Kafka sink, without disturbing a daemon that runs.
#pragma once

#include <vector>

#include "config/settings.h"
#include "core/state/sink_acts.h"

namespace sessionlogd {

// Asks for the brokers and both topics, tries the right to write in transactions that it aborts, under the id
// "<transactional_id>-check", and the right to read by looking for the daemon's last commit. Names each right that is
// missing. Takes some seconds at most per question.
std::vector<SinkFinding> check_kafka(const KafkaSinkSettings& settings);

}  // namespace sessionlogd
