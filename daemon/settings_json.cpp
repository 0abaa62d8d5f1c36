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

// What `usual` says, too, is left out.
void write_poll(JsonWriter& json, const PollSettings& poll, const PollSettings* usual) {
  const auto say = [&](std::string_view name, auto PollSettings::*setting, const auto& text) {
    if (usual == nullptr || poll.*setting != usual->*setting) json.member(name, text(poll.*setting));
  };
  const auto as_it_is = [](unsigned number) { return number; };
  json.begin('{');
  say("interval", &PollSettings::interval, text_of);
  say("max_interval", &PollSettings::max_interval, text_of);
  say("discovery_interval", &PollSettings::discovery_interval, text_of);
  say("sweep_interval", &PollSettings::sweep_interval, text_of);
  say("settle", &PollSettings::settle, text_of);
  say("lookback", &PollSettings::lookback, [](const auto& span) { return text_or(span, "all", text_of); });
  say("overlap", &PollSettings::overlap, text_of);
  say("max_session_age", &PollSettings::max_session_age, text_of);
  say("timeout", &PollSettings::timeout, text_of);
  say("max_body", &PollSettings::max_body_bytes, size_text);
  say("connections", &PollSettings::connections, as_it_is);
  say("rate", &PollSettings::rate_per_second, [](double rate) { return fmt::format("{}/s", rate); });
  say("changes", &PollSettings::changes, [](Changes changes) { return changes == Changes::kEmit ? "emit" : "final"; });
  say("retention", &PollSettings::retention, text_of);
  json.end('}');
}

void write_types(JsonWriter& json, const SessionTypes& types) {
  json.begin('{');
  write_texts(json, "include", types.include);
  write_texts(json, "exclude", types.exclude);
  json.end('}');
}

void write_tls(JsonWriter& json, const TlsSettings& tls) {
  json.begin('{').member("verify", tls.verify).member("ca_file", tls.ca_file);
  write_texts(json, "pin_sha256", tls.pin_sha256);
  json.member("server_name", tls.server_name)
      .member("cert_file", tls.cert_file)
      .member("key_file", tls.key_file)
      .end('}');
}

void write_labels(JsonWriter& json, const std::vector<std::pair<std::string, std::string>>& labels) {
  json.begin('{');
  for (const auto& [name, value] : labels) json.member(name, value);
  json.end('}');
}

// What a source may share with others; what `usual` says, too, is left out.
void write_shared(JsonWriter& json, const SourceSettings& source, const SourceSettings* usual) {
  const auto differs = [&](auto SourceSettings::*setting) {
    return usual == nullptr || !(source.*setting == usual->*setting);
  };
  const auto say = [&](std::string_view name, auto SourceSettings::*setting, const auto& write) {
    if (differs(setting)) write(json.key(name), source.*setting);
  };
  if (differs(&SourceSettings::api_version)) json.member("api_version", source.api_version);
  say("session_types", &SourceSettings::session_types, write_types);
  if (differs(&SourceSettings::time_zone)) json.member("time_zone", source.time_zone.name);
  if (differs(&SourceSettings::proxy)) json.member("proxy", source.proxy);
  say("tls", &SourceSettings::tls, write_tls);
  say("labels", &SourceSettings::labels, write_labels);
  if (differs(&SourceSettings::keep_original)) json.member("keep_original", source.keep_original);
  if (differs(&SourceSettings::poll)) {
    json.key("poll");
    write_poll(json, source.poll, usual == nullptr ? nullptr : &usual->poll);
  }
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
      .member("verify", daemon.verify ? text_of(*daemon.verify) : "")
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

void write_usual_settings(JsonWriter& json, const SourceSettings& usual) {
  json.begin('{');
  write_shared(json, usual, nullptr);
  json.end('}');
}

void write_settings(JsonWriter& json, const SourceSettings& source, const SourceSettings& usual) {
  json.begin('{').member("username", source.username);
  write_secret(json, "password", source.password);
  write_secret(json, "token", source.token);
  if (!source.sessions.empty()) write_texts(json, "sessions", source.sessions);
  write_shared(json, source, &usual);
  json.end('}');
}

}  // namespace sessionlogd
