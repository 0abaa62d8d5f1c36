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
            for (const FormatRules& format : context.formats) names.emplace_back(format.name, format.name);
            return word(std::move(names))(value);
          },
          [](const std::string& name, WrittenFor) { return std::optional(toml(name)); }};
}

// By its number, which every message has. 0, of the kernel, is not for programs.
constexpr std::pair<std::string_view, unsigned> kFacilities[] = {
    {"user", 1},    {"mail", 2},    {"daemon", 3},    {"auth", 4},    {"syslog", 5},  {"lpr", 6},     {"news", 7},
    {"uucp", 8},    {"cron", 9},    {"authpriv", 10}, {"ftp", 11},    {"local0", 16}, {"local1", 17}, {"local2", 18},
    {"local3", 19}, {"local4", 20}, {"local5", 21},   {"local6", 22}, {"local7", 23},
};

Form<std::optional<unsigned>> facilities() {
  const std::vector<std::pair<std::string_view, unsigned>> known(std::begin(kFacilities), std::end(kFacilities));
  return {[rule = word(known)](const TomlValue& value, const ReadContext&) { return std::optional(rule(value)); },
          [form = words(known)](const std::optional<unsigned>& facility, WrittenFor where) {
            return facility ? form.write(*facility, where) : std::nullopt;
          }};
}

void check_facility(const TableReader& table, const ReadContext& context, const S& sink) {
  if (!sink.facility || rules_of(context, sink.format).has_facility) return;
  std::string expected;
  for (const FormatRules& format : context.formats) {
    if (format.has_facility) expected += (expected.empty() ? "" : " or ") + in_quotes(format.name);
  }
  table.refuse("facility", "found a facility with sink.format = " + in_quotes(sink.format) +
                               ", expected none: only messages of " + (expected.empty() ? "syslog" : expected) +
                               " have one");
}

void warn_of_long_lines(const ReadContext& context, const S& sink) {
  const auto* file = std::get_if<FileSinkSettings>(&sink.kind);
  if (file == nullptr || file->max_event_bytes || !rules_of(context, sink.format).for_syslog) return;
  context.warnings.push_back(
      "sink.max_event is \"none\": syslog daemons cut or split a line above their own limit without a word (rsyslog "
      "8KiB, "
      "syslog-ng 64KiB). Set it to what yours takes");
}

}  // namespace

const FormatRules& rules_of(const ReadContext& context, std::string_view format) {
  static constexpr FormatRules kNone{};
  const auto found = std::ranges::find(context.formats, format, &FormatRules::name);
  return found == context.formats.end() ? kNone : *found;
}

const Keys<SinkSettings>& sink_keys() {
  static const Keys<S> keys = a_key_for_each_member<S>({
      type_key(),
      {"format", &S::format, formats(), "[of the events](../sinks/formats/README.md)"},
      {"facility",
       &S::facility,
       facilities(),
       "of a syslog message, with a format that has one",
       {.default_words = "`\"local0\"`"}},
      {"commit_interval", &S::commit_interval, durations(1ms, 1h),
       "between the begins of two commits: events wait for it together, and after a lull for nothing"},
      {"commit_bytes", &S::commit_bytes, sizes(1u << 10, 1u << 30), "so many are committed before it is over"},
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
  if (!is_among(refused, {"format"})) check_facility(table, context, into);
  warn_of_long_lines(context, into);
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
