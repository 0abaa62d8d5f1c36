#include "bench/fleet/delays.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

#include "bench/fleet/script.h"

namespace fleet {

namespace {

using simdjson::dom::element;

// By source and number; 0: several entries have it.
using Appearances = std::unordered_map<std::string, Nanos>;

struct FirstSeen {
  std::string key;
  Nanos created;
};

std::string key_of(std::string_view source, std::string_view label) { return fmt::format("{} {}", source, label); }

std::string_view field(const element& of, std::string_view pointer) {
  std::string_view text;
  return of.at_pointer(pointer).get_string().get(text) == simdjson::SUCCESS ? text : std::string_view();
}

template <class Take>
void for_each_line(const std::string& path, Take take) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  for (std::string line; std::getline(file, line);) take(line);
}

Appearances read_ledger(const std::string& path) {
  Appearances appearances;
  simdjson::dom::parser parser;
  for_each_line(path, [&](const std::string& text) {
    element line;
    if (parser.parse(text).get(line) != simdjson::SUCCESS || field(line, "/record") != "session") return;
    for (const element number : line["numbers"].get_array()) {
      const auto entries = number["e"].get_array().value();
      appearances[key_of(field(line, "/source"), field(number, "/n"))] =
          entries.size() == 1 ? entries.at(0)["a"].get_int64().value() : 0;
    }
  });
  return appearances;
}

std::vector<FirstSeen> read_events(const std::string& path) {
  std::vector<FirstSeen> events;
  simdjson::dom::parser parser;
  for_each_line(path, [&](const std::string& line) {
    element event;
    if (parser.parse(line).get(event) != simdjson::SUCCESS || field(event, "/sessionlog/change") != "new") return;
    events.push_back({key_of(field(event, "/sessionlog/source"), label_in(field(event, "/message"))),
                      parse_time(field(event, "/event/created")).value_or(0)});
  });
  return events;
}

double milliseconds(Nanos span) { return static_cast<double>(span) / kMillisecond; }

}  // namespace

std::vector<Nanos> delays(const std::string& ledger, const std::string& events, Nanos warm_up) {
  const Appearances appearances = read_ledger(ledger);
  const std::vector<FirstSeen> seen = read_events(events);
  Nanos first = kNever;
  for (const FirstSeen& event : seen) first = std::min(first, event.created);
  std::vector<Nanos> found;
  for (const FirstSeen& event : seen) {
    const auto appeared = appearances.find(event.key);
    if (appeared == appearances.end() || appeared->second < first + warm_up) continue;
    found.push_back(event.created - appeared->second);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string delays_as_json(const std::vector<Nanos>& sorted) {
  const auto at = [&](double share) {
    if (sorted.empty()) return 0.0;
    return milliseconds(sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))]);
  };
  return fmt::format(R"({{"events":{},"p50_ms":{:.1f},"p95_ms":{:.1f},"p99_ms":{:.1f},"max_ms":{:.1f}}})"
                     "\n",
                     sorted.size(), at(0.5), at(0.95), at(0.99), at(1));
}

}  // namespace fleet
