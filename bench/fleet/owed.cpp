#include "bench/fleet/owed.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <fstream>
#include <optional>
#include <stdexcept>
#include <utility>

namespace fleet {

namespace {

using simdjson::dom::element;

std::string_view text(const element& from) { return from.get_string().value(); }

std::string key_of(std::string_view source, std::string_view session) {
  return std::string(source) + ' ' + std::string(session);
}

std::string instant(std::string_view text, Nanos unit = 1) {
  const std::optional<Nanos> time = parse_time(text);
  if (!time) return std::string(text);
  const Nanos beyond = *time % unit;
  return std::to_string(*time - beyond - (beyond < 0 ? unit : 0));
}

// Returns which form it is to a reader of the format: one before it, where that has no way to tell the two apart.
std::size_t add_form(const LineFormat& format, Number& number, const element& form) {
  const std::string_view status = text(form.at(1)), resource = text(form.at(2));
  std::vector<std::string> spellings;
  std::size_t is = number.forms.size();
  for (const element each : form.at(4).get_array()) {
    spellings.push_back(spelling_of(format, status, resource, text(each.at(0)), text(each.at(1)), text(each.at(2))));
    const auto known = number.by_spelling.find(spellings.back());
    if (format.start_unit > 1 && known != number.by_spelling.end()) is = known->second;
  }
  for (std::string& spelling : spellings) number.by_spelling.try_emplace(std::move(spelling), is);
  const std::string_view first = text(form.at(4).at(0).at(0));
  number.forms.push_back(
      {form.at(0).get_int64().value() != 0, fmt::format("{} of {}, first served {}", status, first, text(form.at(3)))});
  return is;
}

void add_entry(Number& number, const std::vector<std::size_t>& forms, const element& entry) {
  std::string_view extra;
  number.extras.emplace_back(entry["x"].get_string().get(extra) == simdjson::SUCCESS ? extra : std::string_view());
  std::vector<Serving>& servings = number.entries.emplace_back();
  for (const element serving : entry["s"].get_array()) {
    const std::size_t form = forms.at(serving.at(0).get_uint64().value());
    const bool owed = serving.at(1).get_int64().value() != 0;
    if (servings.empty() || servings.back().form != form) {
      servings.push_back({form, owed});
    } else {
      servings.back().owed |= owed;
    }
  }
}

void add_number(const LineFormat& format, OwedSession& session, const element& from, bool gap_due) {
  Number& number = session.numbers[std::string(text(from["n"]))];
  number.shown = text(from["m"]);
  std::string_view line_hash;
  const bool differs = !format.has_every_byte && from["l"].get_string().get(line_hash) == simdjson::SUCCESS;
  number.hash = differs ? line_hash : text(from["h"]);
  number.gap_due = gap_due;
  std::vector<std::size_t> forms;
  for (const element form : from["f"].get_array()) forms.push_back(add_form(format, number, form));
  for (const element entry : from["e"].get_array()) add_entry(number, forms, entry);
}

}  // namespace

std::string spelling_of(const LineFormat& format, std::string_view status, std::string_view resource,
                        std::string_view log_time, std::string_view start, std::string_view duration) {
  return fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}", status, resource, instant(log_time),
                     instant(start, format.start_unit), duration);
}

Owed Owed::read(const std::string& path, const LineFormat& format) {
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
    for (const element number : record["numbers"].get_array()) add_number(format, session, number, gaps_due > 0);
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
