#include "config/read_sink.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

// The keys of each sink.
#include "config/read_file_sink.h"
#include "config/read_kafka_sink.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using S = SinkSettings;

constexpr auto kKinds = std::make_index_sequence<std::variant_size_v<SinkKind>>{};

template <std::size_t kNumber>
using KindAt = std::variant_alternative_t<kNumber, SinkKind>;

// By number of the kind.
constexpr auto kTypes = []<std::size_t... kNumbers>(std::index_sequence<kNumbers...>) {
  return std::array{KindAt<kNumbers>::kType...};
}
(kKinds);

constexpr bool names_a_type(std::size_t kind) {
  return std::ranges::find(kTypes, kTypes[kind]) == kTypes.begin() + static_cast<std::ptrdiff_t>(kind);
}

// Calls `visit` with the defaults of each sink that a `type` names.
template <class Visit>
void for_each_type(const Visit& visit) {
  const auto visit_one = [&]<std::size_t kNumber>(std::integral_constant<std::size_t, kNumber>) {
    if constexpr (names_a_type(kNumber)) visit(KindAt<kNumber>{});
  };
  [&]<std::size_t... kNumbers>(std::index_sequence<kNumbers...>) {
    (visit_one(std::integral_constant<std::size_t, kNumbers>{}), ...);
  }
  (kKinds);
}

bool read_kind(TableReader& table, const ReadContext& context, S& into) {
  std::vector<std::pair<std::string_view, std::string_view>> types;
  for_each_type([&](const auto& sink) { types.emplace_back(sink.kType, sink.kType); });
  std::string_view type = kTypes.front();
  const bool known = table.read("type", type, word(types));
  for_each_type([&](const auto& sink) {
    if (type != sink.kType) return;
    into.commit_interval = sink.kCommitInterval;
    into.kind = read_sink_of(table, context, sink);
  });
  return known;
}

// Stands for the keys that only one kind of sink has.
Key<S> type_key() {
  std::string types;
  for_each_type(
      [&](const auto& sink) { types += (types.empty() ? "`\"" : " or `\"") + std::string(sink.kType) + "\"`"; });
  Key<S> key;
  key.name = "type";
  key.purpose = types;
  key.read = read_kind;
  key.equal = [](const S& a, const S& b) { return type_of(a) == type_of(b); };
  key.copy = [](const S& from, S& to) { to.kind = from.kind; };
  key.write = [](const S& sink, const S*, WrittenFor) { return std::optional(toml(type_of(sink))); };
  return key;
}

Form<std::string> formats() {
  return {[](const TomlValue& value, const ReadContext& context) {
            std::vector<std::pair<std::string_view, std::string>> names;
            for (const std::string_view name : context.formats) names.emplace_back(name, name);
            return word(std::move(names))(value);
          },
          [](const std::string& name, WrittenFor) { return std::optional(toml(name)); }};
}

}  // namespace

const Keys<SinkSettings>& sink_keys() {
  static const Keys<S> keys = a_key_for_each_member<S>({
      type_key(),
      {"format", &S::format, formats(), "[the event](../sinks/README.md)"},
      {"commit_interval", &S::commit_interval, durations(1ms, 1h),
       "events wait so long at most to be committed together"},
      {"commit_bytes", &S::commit_bytes, sizes(1u << 10, 1u << 30), "so many are committed before that"},
  });
  return keys;
}

void read_sink(TableReader& table, const ReadContext& context, SinkSettings& into) {
  const std::vector<std::string_view> refused = read_keys(table, sink_keys(), context, into);
  if (table.has("commit_bytes") && !is_among(refused, {"commit_bytes"}) && into.commit_bytes > context.memory_bytes) {
    table.refuse("commit_bytes", "found " + in_quotes(format_size(into.commit_bytes)) +
                                     ", expected at most daemon.memory, " +
                                     in_quotes(format_size(context.memory_bytes)));
  }
  if (!is_among(refused, {"type"})) table.finish();  // else the keys of the other type would be called unknown
}

std::string_view type_of(const SinkSettings& sink) {
  return std::visit([](const auto& kind) { return kind.kType; }, sink.kind);
}

std::string path_of(const SinkSettings& sink) {
  return std::visit([](const auto& kind) { return path_of(kind); }, sink.kind);
}

TomlTable written(const SinkSettings& sink) {
  TomlTable all = written(sink_keys(), sink, WrittenFor::kStatus);
  std::visit(
      [&](const auto& kind) {
        std::ranges::move(written(keys_of(kind), kind, WrittenFor::kStatus).members, std::back_inserter(all.members));
      },
      sink.kind);
  return all;
}

std::vector<std::string> keys_that_differ(const SinkSettings& a, const SinkSettings& b) {
  std::vector<std::string> keys;
  const TomlTable other = written(b);
  for (const auto& [key, value] : written(a).members) {
    const TomlValue* same = other.find(key);
    if (same != nullptr && !(*same == value)) keys.push_back(key);
  }
  return keys;
}

std::vector<KeyRow> rows_of(const SinkSettings& defaults) {
  std::vector<KeyRow> rows = rows_of(sink_keys(), defaults);
  const std::vector<KeyRow> own =
      std::visit([](const auto& kind) { return rows_of(keys_of(kind), kind); }, defaults.kind);
  rows.insert(rows.begin() + 1, own.begin(), own.end());
  for (KeyRow& row : rows) row.traits.needs_restart = true;
  return rows;
}

}  // namespace sessionlogd
