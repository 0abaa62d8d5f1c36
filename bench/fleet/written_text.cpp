#include <map>
#include <utility>

#include "bench/fleet/json_text.h"
#include "bench/fleet/places.h"

namespace fleet {

namespace {

using Facts = std::map<std::string, std::string, std::less<>>;

std::string fact(const Facts& facts, std::string_view name) {
  const auto found = facts.find(name);
  return found == facts.end() ? std::string() : found->second;
}

auto facts_by_name(const Facts& facts) {
  return [&facts](std::string_view name) { return fact(facts, name); };
}

// Where the first of these characters stands, from `at` on, that has no backslash before it.
std::size_t find_bare(std::string_view line, std::string_view characters, std::size_t at) {
  for (; at < line.size(); ++at) {
    if (line[at] == '\\') {
      ++at;
    } else if (characters.find(line[at]) != characters.npos) {
      return at;
    }
  }
  return line.npos;
}

// Backslashes taken off; CEF spells ends of lines with one, too.
std::string bare(std::string_view text, bool spells_breaks) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '\\' && at + 1 < text.size()) {
      c = text[++at];
      if (spells_breaks && c == 'n') c = '\n';
      if (spells_breaks && c == 'r') c = '\r';
    }
    out += c;
  }
  return out;
}

// Behind the seven pipes of the header; npos: there are fewer.
std::size_t behind_cef_header(std::string_view line) {
  std::size_t at = 0;
  for (int pipe = 0; pipe < 7; ++pipe) {
    at = find_bare(line, "|", at);
    if (at == line.npos) return at;
    ++at;
  }
  return at;
}

// Of `key=value key=value`: an equals sign without a backslash ends a key, and a key has no blanks.
Facts cef_facts(std::string_view extension) {
  Facts facts;
  std::size_t equals = find_bare(extension, "=", 0), key = 0;
  while (equals != extension.npos) {
    const std::size_t value = equals + 1, next = find_bare(extension, "=", value);
    const std::size_t end = next == extension.npos ? extension.size() : extension.rfind(' ', next);
    if (end == extension.npos || end < value) return {};
    const std::string name(extension.substr(key, equals - key));
    if (!facts.emplace(name, bare(extension.substr(value, end - value), true)).second) return {};
    key = end + 1;
    equals = next;
  }
  return facts;
}

std::string nanoseconds(const std::string& milliseconds) {
  return milliseconds.empty() || milliseconds == "0" ? milliseconds : milliseconds + "000000";
}

constexpr Place kCefFacts[] = {
    {&Written::source, "cs4"},          {&Written::session, "cs1"},         {&Written::change, "slChange"},
    {&Written::message, "msg"},         {&Written::original, "slOriginal"}, {&Written::status, "cs3"},
    {&Written::resource, "cs6"},        {&Written::extra, "slExtra"},       {&Written::log_time, "slLogTime"},
    {&Written::duration, "slDuration"}, {&Written::start, "start"}};

std::optional<Written> read_cef(std::string_view line) {
  const std::size_t extension = behind_cef_header(line);
  if (!line.starts_with("CEF:0|") || extension == line.npos) return std::nullopt;
  const Facts facts = cef_facts(line.substr(extension));
  // Last of all: a line that was torn has lost it.
  if (!line.ends_with(" slHash=" + fact(facts, "slHash"))) return std::nullopt;
  std::optional<Written> written = read_places({"externalId", "slHash", kCefFacts}, facts_by_name(facts));
  if (!written) return std::nullopt;
  written->message = in_one_line(written->message);
  written->original = in_one_line(written->original);
  written->start = nanoseconds(written->start);
  return written;
}

// Of `name="value" name="value"]`, which begins at `at`; `at` is then behind it, or npos: it does not end.
Facts parameters(std::string_view line, std::size_t& at) {
  Facts facts;
  while (at < line.size() && line[at] != ']') {
    const std::size_t equals = line.find("=\"", at);
    const std::size_t end = equals == line.npos ? line.npos : find_bare(line, "\"", equals + 2);
    if (end == line.npos) break;
    facts.emplace(line.substr(at, equals - at), bare(line.substr(equals + 2, end - equals - 2), false));
    at = end + 1;
    if (at < line.size() && line[at] == ' ') ++at;
  }
  at = at < line.size() && line[at] == ']' ? at + 1 : line.npos;
  return facts;
}

// Of the last element of a message; `at` is then behind it, or npos: it has none, or it does not end.
Facts last_element(std::string_view line, std::size_t& at) {
  Facts facts;
  std::string_view name;
  at = 0;
  for (int field = 0; field < 6 && at != line.npos; ++field) at = line.find(' ', at + (field > 0 ? 1 : 0));
  if (at != line.npos) ++at;
  while (at < line.size() && line[at] == '[') {
    const std::size_t blank = line.find(' ', at);
    if (blank == line.npos) break;
    name = line.substr(at + 1, blank - at - 1);
    at = blank + 1;
    facts = parameters(line, at);
  }
  if (name != "sessionlog@32473") at = line.npos;
  return facts;
}

constexpr Place kRfc5424Facts[] = {{&Written::source, "source"},     {&Written::session, "session_id"},
                                   {&Written::change, "change"},     {&Written::original, "original"},
                                   {&Written::status, "status"},     {&Written::resource, "resource_id"},
                                   {&Written::extra, "extra"},       {&Written::log_time, "log_time"},
                                   {&Written::duration, "duration"}, {&Written::start, "start"}};

std::optional<Written> read_rfc5424(std::string_view line) {
  std::size_t at = 0;
  const Facts facts = last_element(line, at);
  if (!line.starts_with('<') || at > line.size()) return std::nullopt;
  const std::string_view text = line.substr(at);
  const std::string_view message = text.substr(text.starts_with(' ') ? 1 : 0);
  if (std::to_string(message.size()) != fact(facts, "bytes")) return std::nullopt;
  std::optional<Written> written = read_places({"id", "hash", kRfc5424Facts}, facts_by_name(facts));
  if (written) written->message = message;
  return written;
}

}  // namespace

const LineFormat kCefLines{"cef", read_cef, kMillisecond, false};
const LineFormat kRfc5424Lines{"rfc5424", read_rfc5424, 1, false};

}  // namespace fleet
