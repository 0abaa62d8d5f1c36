#include "tests/config/reference.h"

#include <algorithm>

#include "config/read_daemon.h"
#include "config/read_poll.h"
#include "config/read_sink.h"
#include "config/read_source.h"

namespace sessionlogd {
namespace {

std::string toml_text(const TomlValue& value) {
  if (const auto* array = std::get_if<TomlArray>(&value.value)) {
    std::string text;
    for (const TomlValue& element : *array) text += (text.empty() ? "" : ", ") + toml_text(element);
    return "[" + text + "]";
  }
  if (const auto* table = std::get_if<TomlTable>(&value.value)) {
    std::string text;
    for (const auto& [key, member] : table->members)
      text += (text.empty() ? " " : ", ") + key + " = " + toml_text(member);
    return "{" + text + " }";
  }
  return describe(value);
}

std::string default_of(const KeyRow& row) {
  if (!row.traits.required.empty()) return "";
  if (!row.traits.default_words.empty()) return std::string(row.traits.default_words);
  return row.fallback ? "`" + toml_text(*row.fallback) + "`" : "";
}

std::string line_of(std::initializer_list<std::string> cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += (cell.empty() ? "" : " " + cell) + " |";
  return line + "\n";
}

// One for each type.
template <std::size_t... kNumbers>
void add_sinks(std::vector<ReferenceTable>& tables, std::index_sequence<kNumbers...>) {
  const auto add = [&](auto sink) {
    const SinkSettings settings{.kind = sink, .commit_interval = sink.kCommitInterval};
    const std::string heading = "[sink], " + std::string(sink.kType);
    if (std::ranges::find(tables, heading, &ReferenceTable::heading) == tables.end())
      tables.push_back({heading, rows_of(settings)});
  };
  (add(std::variant_alternative_t<kNumbers, SinkKind>{}), ...);
}

}  // namespace

std::vector<ReferenceTable> reference() {
  std::vector<ReferenceTable> tables{{"[daemon]", rows_of(daemon_keys(), DaemonSettings{})},
                                     {"[poll], and `poll` of a source", rows_of(poll_keys(), PollSettings{})},
                                     {"[[source]]", rows_of(source_keys(), SourceSettings{})}};
  add_sinks(tables, std::make_index_sequence<std::variant_size_v<SinkKind>>{});
  return tables;
}

// Where all or none need a restart, the text says so.
std::string to_markdown(const std::vector<KeyRow>& rows) {
  const auto needs_restart = [](const KeyRow& row) { return row.traits.needs_restart; };
  const bool has_column = std::ranges::any_of(rows, needs_restart) && !std::ranges::all_of(rows, needs_restart);
  std::string page = has_column ? "| key | default | restart | what it is for |\n|---|---|---|---|\n"
                                : "| key | default | what it is for |\n|---|---|---|\n";
  for (const KeyRow& row : rows) {
    const std::string name = "`" + row.name + "`";
    page += has_column ? line_of({name, default_of(row), needs_restart(row) ? "yes" : "", row.purpose})
                       : line_of({name, default_of(row), row.purpose});
  }
  return page;
}

}  // namespace sessionlogd
