// Reads the keys of [sink] that only type = "kafka" has.
#pragma once

#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

// Property names and values are judged later, by librdkafka itself (sinks/kafka_conf.h).
void read_kafka_sink(TableReader& table, KafkaSinkSettings& into);

}  // namespace sessionlogd
