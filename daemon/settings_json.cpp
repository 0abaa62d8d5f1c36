#include "daemon/settings_json.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>

#include "config/units.h"

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

std::string text_of(milliseconds span) { return format_duration(span); }
std::string size_text(std::size_t bytes) { return format_size(bytes); }

template <class T, class Text>
std::string text_or(const std::optional<T>& value, const char* word, const Text& text) {
  return value ? text(*value) : word;
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin('[');
  for (const std::string& text : texts) json.value(text);
  json.end(']');
}

void write_secret(JsonWriter& json, std::string_view name, const std::optional<Secret>& secret) {
  if (secret) json.member(name, secret->reference());
}

void write_poll(JsonWriter& json, const PollSettings& poll) {
  json.key("poll")
      .begin('{')
      .member("interval", text_of(poll.interval))
      .member("max_interval", text_of(poll.max_interval))
      .member("discovery_interval", text_of(poll.discovery_interval))
      .member("settle", text_of(poll.settle))
      .member("lookback", text_or(poll.lookback, "all", text_of))
      .member("overlap", text_of(poll.overlap))
      .member("max_session_age", text_of(poll.max_session_age))
      .member("timeout", text_of(poll.timeout))
      .member("max_body", size_text(poll.max_body_bytes))
      .member("connections", poll.connections)
      .member("rate", fmt::format("{}/s", poll.rate_per_second))
      .member("changes", poll.changes == Changes::kEmit ? "emit" : "final")
      .member("retention", text_of(poll.retention))
      .end('}');
}

void write_tls(JsonWriter& json, const TlsSettings& tls) {
  json.key("tls").begin('{').member("verify", tls.verify).member("ca_file", tls.ca_file);
  write_texts(json, "pin_sha256", tls.pin_sha256);
  json.member("server_name", tls.server_name)
      .member("cert_file", tls.cert_file)
      .member("key_file", tls.key_file)
      .end('}');
}

void write_file(JsonWriter& json, const FileSinkSettings& file) {
  const RotateSettings& rotate = file.rotate;
  json.member("path", file.path)
      .member("mode", fmt::format("{:04o}", file.mode))
      .member("group", file.group)
      .key("rotate")
      .begin('{')
      .member("size", text_or(rotate.size_bytes, "never", size_text))
      .member("every", text_or(rotate.every, "never", text_of))
      .member("keep", text_or(rotate.keep, "all", [](std::uint64_t files) { return std::to_string(files); }))
      .member("compress", rotate.compress ? "zstd" : "none")
      .end('}');
}

void write_kafka(JsonWriter& json, const KafkaSinkSettings& kafka) {
  json.member("brokers", kafka.brokers)
      .member("topic", kafka.topic)
      .member("state_topic", kafka.state_topic)
      .member("transactional_id", kafka.transactional_id)
      .member("delivery", kafka.delivery == Delivery::kExactlyOnce ? "exactly-once" : "at-least-once")
      .key("properties")
      .begin('{');
  for (const KafkaProperty& property : kafka.properties)
    json.member(property.name, property.secret ? property.secret->reference() : property.value);
  json.end('}');
}

}  // namespace

void write_settings(JsonWriter& json, const DaemonSettings& daemon) {
  json.begin('{')
      .member("state_dir", daemon.state_dir)
      .member("threads", daemon.threads)
      .member("admin", daemon.admin ? daemon.admin->text() : "")
      .member("metrics_per_source", daemon.metrics_per_source)
      .member("log_level", daemon.log_level)
      .member("memory", size_text(daemon.memory_bytes))
      .member("state_keep", text_of(daemon.state_keep))
      .end('}');
}

void write_settings(JsonWriter& json, const SinkSettings& sink) {
  json.begin('{').member("type", sink.kafka ? "kafka" : "file").member("format", sink.format);
  json.member("commit_interval", text_of(sink.commit_interval)).member("commit_bytes", size_text(sink.commit_bytes));
  if (sink.kafka) {
    write_kafka(json, *sink.kafka);
  } else {
    write_file(json, sink.file);
  }
  json.end('}');
}

void write_settings(JsonWriter& json, const SourceSettings& source) {
  json.begin('{').member("username", source.username);
  write_secret(json, "password", source.password);
  write_secret(json, "token", source.token);
  json.member("api_version", source.api_version);
  write_texts(json, "sessions", source.sessions);
  json.key("session_types").begin('{');
  write_texts(json, "include", source.session_types.include);
  write_texts(json, "exclude", source.session_types.exclude);
  json.end('}').member("time_zone", source.time_zone.name).member("proxy", source.proxy);
  write_tls(json, source.tls);
  json.key("labels").begin('{');
  for (const auto& [name, value] : source.labels) json.member(name, value);
  json.end('}').member("keep_original", source.keep_original);
  write_poll(json, source.poll);
  json.end('}');
}

}  // namespace sessionlogd
