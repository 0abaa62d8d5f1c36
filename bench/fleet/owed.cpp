#include "bench/fleet/owed.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <fstream>
#include <optional>
#include <stdexcept>

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

void add_form(Number& number, const element& form) {
  const std::string_view status = text(form.at(1)), resource = text(form.at(2));
  std::string_view first;
  for (const element spelling : form.at(4).get_array()) {
    const std::string_view log_time = text(spelling.at(0));
    if (first.empty()) first = log_time;
    number.by_spelling.try_emplace(spelling_of(status, resource, log_time, text(spelling.at(1)), text(spelling.at(2))),
                                   number.forms.size());
  }
  number.forms.push_back(
      {form.at(0).get_int64().value() != 0, fmt::format("{} of {}, first served {}", status, first, text(form.at(3)))});
}

void add_entry(Number& number, const element& entry) {
  std::string_view extra;
  number.extras.emplace_back(entry["x"].get_string().get(extra) == simdjson::SUCCESS ? extra : std::string_view());
  std::vector<Serving>& servings = number.entries.emplace_back();
  for (const element serving : entry["s"].get_array()) {
    servings.push_back({serving.at(0).get_uint64().value(), serving.at(1).get_int64().value() != 0});
  }
}

void add_number(OwedSession& session, const element& from, bool gap_due) {
  Number& number = session.numbers[std::string(text(from["n"]))];
  number.shown = text(from["m"]);
  number.hash = text(from["h"]);
  number.gap_due = gap_due;
  for (const element form : from["f"].get_array()) add_form(number, form);
  for (const element entry : from["e"].get_array()) add_entry(number, entry);
}

}  // namespace

std::string spelling_of(std::string_view status, std::string_view resource, std::string_view log_time,
                        std::string_view start, std::string_view duration) {
  return fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}", status, resource, instant(log_time), instant(start), duration);
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
    session.broken |= record["broken"].get_bool().value();
    const std::uint64_t gaps_due = record["gaps"].get_uint64().value();
    session.gaps_due += gaps_due;
    for (const element number : record["numbers"].get_array()) add_number(session, number, gaps_due > 0);
    for (const element error : record["errors"].get_array()) {
      OwedError& owed_error = session.errors[std::string(text(error.at(1)))];
      ++owed_error.served;
      owed_error.owed += error.at(0).get_uint64().value();
      owed_error.gap_due |= gaps_due > 0;
    }
  }
  return owed;
}

OwedSession* Owed::find(std::string_view source, std::string_view session) {
  const auto found = sessions_.find(key_of(source, session));
  return found == sessions_.end() ? nullptr : &found->second;
}

}  // namespace fleet
