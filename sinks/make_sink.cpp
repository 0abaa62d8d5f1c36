#include "sinks/make_sink.h"

#include <utility>
#include <variant>

#include "core/state/sink_acts.h"
#include "sinks/formats/formats.h"
// What is done to each kind of sink.
#include "sinks/file/file_acts.h"
#include "sinks/kafka/kafka_acts.h"
#include "sinks/kafka/kafka_group.h"
#include "sinks/stdout_acts.h"

namespace sessionlogd {

std::unique_ptr<SinkActs> acts_of(const Settings& settings) {
  return std::visit([&](const auto& sink) { return make_acts(sink, settings); }, settings.sink.kind);
}

std::unique_ptr<Sink> make_sink(const Settings& settings, std::stop_token stop) {
  return acts_of(settings)->make(std::move(stop));
}

std::unique_ptr<LaneGroup> make_group(const Settings& settings, FreezeGuard& guard) {
  const auto* kafka = std::get_if<KafkaSinkSettings>(&settings.sink.kind);
  if (kafka == nullptr || kafka->group.empty()) return nullptr;
  return std::make_unique<KafkaGroup>(*kafka, format_named(settings.sink.format), guard);
}

std::unique_ptr<DeliveredReader> make_delivered_reader(const Settings& settings) {
  return acts_of(settings)->make_reader();
}

std::unique_ptr<Encoder> make_encoder(const SourceSettings& source, const SinkSettings& sink, std::string_view host,
                                      std::string_view version) {
  return format_named(sink.format).encoder(source, sink, host, version);
}

}  // namespace sessionlogd
