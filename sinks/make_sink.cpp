#include "sinks/make_sink.h"

#include <utility>

#include "sinks/file_delivered.h"
#include "sinks/file_sink.h"
#include "sinks/formats.h"
#include "sinks/kafka_delivered.h"
#include "sinks/kafka_sink.h"
#include "sinks/stdout_sink.h"

namespace sessionlogd {

std::unique_ptr<Sink> make_sink(const Settings& settings, std::stop_token stop) {
  const Format& format = format_named(settings.sink.format);
  if (settings.sink.kafka) return std::make_unique<KafkaSink>(*settings.sink.kafka, format, std::move(stop));
  if (settings.sink.file.path == "-") return std::make_unique<StdoutSink>();
  return std::make_unique<FileSink>(settings.daemon.state_dir, settings.sink.file, format);
}

std::unique_ptr<DeliveredReader> make_delivered_reader(const Settings& settings) {
  if (settings.sink.kafka) return std::make_unique<KafkaDelivered>(*settings.sink.kafka);
  if (settings.sink.file.path == "-") return nullptr;
  return std::make_unique<FileDelivered>(settings.daemon.state_dir, settings.sink.file);
}

std::unique_ptr<Encoder> make_encoder(const SourceSettings& source, const SinkSettings& sink, std::string_view host,
                                      std::string_view version) {
  return format_named(sink.format).encoder(source, sink, host, version);
}

}  // namespace sessionlogd
