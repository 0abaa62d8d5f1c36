// The keys of [sink] that only type = "kafka" has.
#pragma once

#include <string>

#include "config/key.h"
#include "config/read_context.h"
#include "config/settings.h"
#include "config/table_reader.h"

namespace sessionlogd {

const Keys<KafkaSinkSettings>& keys_of(const KafkaSinkSettings&);

// Property names and values are judged later, by librdkafka itself (sinks/kafka/kafka_conf.h).
SinkKind read_sink_of(TableReader& table, const ReadContext& context, KafkaSinkSettings sink);

// "": it has none.
std::string path_of(const KafkaSinkSettings&);

}  // namespace sessionlogd
