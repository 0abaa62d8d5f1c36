#include "bench/fleet/owed.h"

#include <simdjson.h>

#include <fstream>
#include <stdexcept>

#include "bench/fleet/script.h"

namespace fleet {

namespace {

using simdjson::dom::element;

std::string_view text(const element& from) { return from.get_string().value(); }

std::string key_of(std::string_view source, std::string_view session) {
  return std::string(source) + ' ' + std::string(session);
}

std::string instant(std::string_view text) {
  const std::optional<Nanos> time = parse_time(text);
  return time ? std::to_string(*time) : std::string(text);
}

void add_entry(OwedSession& session, const element& entry) {
  const std::string_view message = text(entry["m"]), resource = text(entry["r"]), time = text(entry["t"]);
  Group& group = session.groups[comparable_identity(parse_time(time).value_or(0), message, resource)];
  group.shown = std::string(time) + ' ' + std::string(message);
  std::string_view extra;
  group.extras.emplace_back(entry["x"].get_string().get(extra) == simdjson::SUCCESS ? extra : std::string_view());
  std::vector<OwedState>& states = group.entries.emplace_back();
  for (const element state : entry["s"].get_array()) {
    states.push_back(
        {comparable_state(session.dialect, text(state.at(1)), text(state.at(2)), text(state.at(3)), text(state.at(4))),
         state.at(0).get_int64().value() != 0});
  }
}

}  // namespace

std::string comparable_state(Dialect dialect, std::string_view status, std::string_view log_time,
                             std::string_view start, std::string_view duration) {
  std::string state(status);
  if (!is_final_status(status)) return state;
  state += ' ';
  state += instant(dialect == Dialect::aws ? log_time : start);
  state += ' ';
  state += duration;
  return state;
}

std::string comparable_identity(Nanos time, std::string_view message, std::string_view resource) {
  std::string identity = std::to_string(time);
  identity += '\x1f';
  identity += resource;
  identity += '\x1f';
  identity += message;
  return identity;
}

Owed Owed::read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Owed owed;
  simdjson::dom::parser parser;
  std::string line;
  while (std::getline(file, line)) {
    const element record = parser.parse(line).value();
    if (text(record["record"]) == "unread") {
      owed.unread_.push_back(key_of(text(record["source"]), text(record["session"])) + " (" +
                             std::string(text(record["life"])) + ")");
    }
    if (text(record["record"]) != "session") continue;
    OwedSession& session = owed.sessions_[key_of(text(record["source"]), text(record["session"]))];
    session.dialect = text(record["dialect"]) == "aws" ? Dialect::aws : Dialect::azure;
    session.broken |= record["broken"].get_bool().value();
    session.gaps_allowed += record["gaps"].get_uint64().value();
    for (const element entry : record["entries"].get_array()) add_entry(session, entry);
    for (const element error : record["errors"].get_array()) {
      OwedError& owed_error = session.errors[std::string(text(error.at(1)))];
      ++owed_error.served;
      owed_error.owed += error.at(0).get_uint64().value();
    }
  }
  return owed;
}

OwedSession* Owed::find(std::string_view source, std::string_view session) {
  const auto found = sessions_.find(key_of(source, session));
  return found == sessions_.end() ? nullptr : &found->second;
}

}  // namespace fleet
