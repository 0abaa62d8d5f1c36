#include "daemon/admin/settings_json.h"

#include "config/key.h"
#include "config/read_daemon.h"
#include "config/read_sink.h"
#include "config/read_source.h"

namespace sessionlogd {
namespace {

void write(JsonWriter& json, const TomlTable& table);

void write(JsonWriter& json, const TomlValue& value) {
  if (const auto* table = std::get_if<TomlTable>(&value.value)) {
    write(json, *table);
  } else if (const auto* array = std::get_if<TomlArray>(&value.value)) {
    json.begin('[');
    for (const TomlValue& element : *array) write(json, element);
    json.end(']');
  } else if (const auto* integer = std::get_if<std::int64_t>(&value.value)) {
    json.value(*integer);
  } else if (const auto* boolean = std::get_if<bool>(&value.value)) {
    json.value(*boolean);
  } else {
    json.value(std::get<std::string>(value.value));
  }
}

void write(JsonWriter& json, const TomlTable& table) {
  json.begin('{');
  for (const auto& [key, value] : table.members) write(json.key(key), value);
  json.end('}');
}

// The keys of one group; of those that sources share, what `usual` says, too, is left out.
void add_keys(TomlTable& to, ShownIn group, const SourceSettings& source, const SourceSettings* usual) {
  for (const Key<SourceSettings>& key : source_keys()) {
    const bool is_said = group == ShownIn::kShared && usual != nullptr && key.equal(source, *usual);
    if (key.traits.shown != group || is_said) continue;
    if (std::optional<TomlValue> value = key.write(source, usual, WrittenFor::kStatus))
      to.members.push_back({std::string(key.name), std::move(*value)});
  }
}

}  // namespace

void write_settings(JsonWriter& json, const DaemonSettings& daemon) {
  write(json, written(daemon_keys(), daemon, WrittenFor::kStatus));
}

void write_settings(JsonWriter& json, const SinkSettings& sink) { write(json, written(sink)); }

void write_usual_settings(JsonWriter& json, const SourceSettings& usual) {
  TomlTable keys;
  add_keys(keys, ShownIn::kShared, usual, nullptr);
  write(json, keys);
}

void write_settings(JsonWriter& json, const SourceSettings& source, const SourceSettings& usual) {
  TomlTable keys;
  add_keys(keys, ShownIn::kOwn, source, nullptr);
  add_keys(keys, ShownIn::kShared, source, &usual);
  write(json, keys);
}

}  // namespace sessionlogd
