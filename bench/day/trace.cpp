#include "bench/day/trace.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/base/json_text.h"

namespace sessionlogd {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using test::PlannedSession;
using test::Script;

constexpr double kLatest = 31 * 86'400;  // seconds; what is later is a Unix time, or milliseconds

[[noreturn]] void refuse(std::string what) { throw std::runtime_error(std::move(what)); }

element member(const element& of, const char* name) {
  element found;
  if (of.at_key(name).get(found) != simdjson::SUCCESS) refuse(fmt::format(R"("{}" is missing)", name));
  return found;
}

std::int64_t milliseconds(const element& value, std::string_view name) {
  double seconds = 0;
  if (!value.is_number() || value.get(seconds) != simdjson::SUCCESS)
    refuse(fmt::format("{} must be a number of seconds", name));
  if (seconds < 0 || seconds > kLatest)
    refuse(fmt::format("{} must be seconds from the day's begin, 0 to {:.0f}; found {}", name, kLatest, seconds));
  return std::llround(seconds * 1'000);
}

array list(const element& value, std::string_view name) {
  array found;
  if (value.get(found) != simdjson::SUCCESS) refuse(fmt::format("{} must be a list", name));
  return found;
}

std::string text(const element& value, std::string_view name) {
  std::string_view found;
  if (value.get(found) != simdjson::SUCCESS || found.empty()) refuse(fmt::format("{} must be a text", name));
  return std::string(found);
}

// Where each entry of the file stands among those in order of their times.
struct Sorted {
  std::vector<std::uint32_t> ms;
  std::vector<std::uint32_t> place;
};

Sorted entries_of(const element& line, std::int64_t start) {
  std::vector<std::uint32_t> times;
  for (const element each : list(member(line, "entries"), R"("entries")")) {
    const std::int64_t at = milliseconds(each, R"(each of "entries")");
    if (at < start) refuse("an entry comes before the session's start");
    times.push_back(static_cast<std::uint32_t>(at - start));
  }
  std::vector<std::uint32_t> order(times.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return times[i]; });
  Sorted sorted{{}, std::vector<std::uint32_t>(times.size())};
  for (std::uint32_t place = 0; place < order.size(); ++place) {
    sorted.ms.push_back(times[order[place]]);
    sorted.place[order[place]] = place;
  }
  return sorted;
}

std::optional<std::vector<Script::Change>> changes_of(const element& line, std::int64_t start, const Sorted& entries) {
  element value;
  if (line.at_key("changes").get(value) != simdjson::SUCCESS) return std::nullopt;
  std::vector<Script::Change> changes;
  for (const element each : list(value, R"("changes")")) {
    const array pair = list(each, R"(each of "changes")");
    std::uint64_t entry = 0;
    if (pair.size() != 2 || pair.at(0).get(entry) != simdjson::SUCCESS)
      refuse(R"(each of "changes" must be [entry, seconds])");
    if (entry >= entries.place.size())
      refuse(fmt::format(R"("changes" names entry {}, but there are {}, from 0 on)", entry, entries.place.size()));
    const std::uint32_t place = entries.place[entry];
    const std::int64_t at = milliseconds(pair.at(1).value_unsafe(), R"(each time of "changes")") - start;
    if (at < entries.ms[place]) refuse(fmt::format("entry {} changes before it comes", entry));
    changes.push_back({place, static_cast<std::uint32_t>(at)});
  }
  std::ranges::sort(changes);
  return changes;
}

PlannedSession session_of(const element& line) {
  const std::int64_t start = milliseconds(member(line, "start"), R"("start")");
  const std::int64_t stop = milliseconds(member(line, "stop"), R"("stop")");
  if (stop < start) refuse(R"("stop" is before "start")");
  Sorted entries = entries_of(line, start);
  Script script{.changes = changes_of(line, start, entries)};
  std::string type;
  append_json_string(type, text(member(line, "type"), R"("type")"));
  script.type = inside_quotes(type);
  script.entries_ms = std::move(entries.ms);
  PlannedSession session{.start_ms = start, .length_ms = static_cast<std::uint32_t>(stop - start)};
  session.entries = static_cast<std::uint32_t>(script.entries_ms.size());
  session.script = std::make_shared<const Script>(std::move(script));
  return session;
}

using Appliances = std::map<std::uint64_t, std::vector<PlannedSession>>;

class Reader {
 public:
  void read(const std::string& line) {
    element parsed;
    if (const auto error = parser_.parse(line).get(parsed)) refuse(fmt::format("is no JSON: {}", error_message(error)));
    if (!parsed.is_object()) refuse("must be an object");
    std::uint64_t appliance = 0;
    if (member(parsed, "appliance").get(appliance) != simdjson::SUCCESS)
      refuse(R"("appliance" must be a number from 0 on)");
    std::string id = text(member(parsed, "session"), R"("session")");
    if (!seen_.emplace(appliance, id).second)
      refuse(fmt::format(R"(session "{}" of appliance {} is there already)", id, appliance));
    appliances_[appliance].push_back(session_of(parsed));
  }

  Appliances& appliances() { return appliances_; }

 private:
  simdjson::dom::parser parser_;
  std::set<std::pair<std::uint64_t, std::string>> seen_;
  Appliances appliances_;
};

}  // namespace

std::vector<std::vector<PlannedSession>> read_trace(const std::string& path, const TraceTaken& taken) {
  std::ifstream file(path);
  if (!file) refuse(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  Reader reader;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      reader.read(line);
    } catch (const std::runtime_error& error) {
      refuse(fmt::format("{}:{}: {}", path, number, error.what()));
    }
  }
  if (file.bad()) refuse(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  std::vector<std::vector<PlannedSession>> plans;
  const std::int64_t end = std::int64_t{taken.hours} * 3'600'000;
  for (auto& [number, plan] : reader.appliances()) {
    if (taken.appliances != 0 && plans.size() == taken.appliances) break;
    std::erase_if(plan, [end](const PlannedSession& session) { return session.start_ms >= end; });
    std::ranges::stable_sort(plan, {}, &PlannedSession::start_ms);
    plans.push_back(std::move(plan));
  }
  if (std::ranges::all_of(plans, &std::vector<PlannedSession>::empty))
    refuse(fmt::format("{}: holds no session that begins within {} h", path, taken.hours));
  return plans;
}

}  // namespace sessionlogd
