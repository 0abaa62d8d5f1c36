#include "config/dialect.h"

#include <algorithm>
#include <optional>
#include <span>

#include "config/error_list.h"
#include "config/load.h"
#include "config/table_reader.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using Names = std::vector<std::string>;

// The keys of [log.fields], by EntryField.
constexpr std::array<std::string_view, kEntryFields> kFieldKeys{"log_time", "status",      "message", "start",
                                                                "duration", "resource_id", "id"};

// A string is short for an array of one.
Names alternatives(const TomlValue& value) {
  if (std::holds_alternative<std::string>(value.value)) return {filled_text(value)};
  return texts(value);
}

// Whether every {word} of `text` is one of `known`.
bool only_placeholders(std::string_view text, std::span<const std::string_view> known) {
  for (std::size_t at = text.find_first_of("{}"); at != text.npos; at = text.find_first_of("{}", at)) {
    const std::size_t end = text.find('}', at);
    if (text[at] == '}' || end == text.npos) return false;
    const std::string_view placeholder = text.substr(at, end + 1 - at);
    if (std::ranges::find(known, placeholder) == known.end()) return false;
    at = end + 1;
  }
  return true;
}

std::string path(const TomlValue& value, std::span<const std::string_view> placeholders, std::string_view expected) {
  std::string found = text(value);
  if (!found.starts_with('/') || found.find_first_of(" ?#\\") != found.npos ||
      !only_placeholders(found, placeholders)) {
    throw ValueError(describe(value), expected);
  }
  return found;
}

std::string plain_path(const TomlValue& value) {
  static constexpr std::string_view kPlaceholders[] = {"{version}"};
  return path(value, kPlaceholders, R"(a path like "/api/{version}/sessions", with no other placeholder)");
}

std::string path_of_one(const TomlValue& value) {
  static constexpr std::string_view kPlaceholders[] = {"{version}", "{id}"};
  constexpr std::string_view kExpected = R"(a path like "/api/{version}/sessions/{id}", with {id})";
  std::string found = path(value, kPlaceholders, kExpected);
  if (found.find("{id}") == found.npos) throw ValueError(describe(value), kExpected);
  return found;
}

FormFields form(const TomlValue& value, std::span<const std::string_view> placeholders) {
  const auto* table = std::get_if<TomlTable>(&value.value);
  if (table == nullptr) throw ValueError(describe(value), "a table of strings");
  FormFields out;
  for (const auto& [name, field] : table->members) {
    const std::string sent = text(field);
    if (!only_placeholders(sent, placeholders)) {
      std::string expected = placeholders.empty() ? "text without placeholders" : "no placeholders but";
      for (const std::string_view placeholder : placeholders) expected += " " + std::string(placeholder);
      throw ValueError(in_quotes(sent) + " for " + in_quotes(name), expected);
    }
    out.emplace_back(name, sent);
  }
  return out;
}

bool sends(const FormFields& fields, std::string_view placeholder) {
  return std::ranges::any_of(fields,
                             [&](const auto& field) { return field.second.find(placeholder) != std::string::npos; });
}

FormFields query(const TomlValue& value) { return form(value, {}); }

FormFields password_grant(const TomlValue& value) {
  static constexpr std::string_view kPlaceholders[] = {"{username}", "{password}"};
  FormFields fields = form(value, kPlaceholders);
  if (!sends(fields, "{username}") || !sends(fields, "{password}")) {
    throw ValueError("no {username} or no {password}", "a form that sends both");
  }
  return fields;
}

FormFields refresh_grant(const TomlValue& value) {
  static constexpr std::string_view kPlaceholders[] = {"{username}", "{refresh_token}"};
  FormFields fields = form(value, kPlaceholders);
  if (!sends(fields, "{refresh_token}")) throw ValueError("no {refresh_token}", "a form that sends it");
  return fields;
}

std::string header_name(const TomlValue& value) {
  std::string found = text(value);
  if (!found.empty() && (!is_identifier(found) || found.find('.') != found.npos)) {
    throw ValueError(describe(value), "a header's name");
  }
  return found;
}

std::string duration_text(const TomlValue& value) {
  (void)duration_between(std::chrono::hours{1}, std::chrono::hours{24 * 3650})(value);
  return std::get<std::string>(value.value);
}

// What reads one dialect; the members stand in the order of the file.
class DialectReader {
 public:
  DialectReader(TableReader& root, Dialect& into) : root_(root), into_(into) {}

  void read() {
    root_.require("name", "the dialect's name", into_.name, identifier);
    root_.require("module", "what event.module says", into_.module, identifier);
    root_.require("dataset", "what event.dataset says", into_.dataset, identifier);
    root_.require("vendor", "what observer.vendor says", into_.vendor, filled_text);
    root_.require("product", "what observer.product says", into_.product, filled_text);
    root_.read("retention", into_.retention, duration_text);
    if (auto version = required_table("version")) read_version(*version);
    if (auto token = required_table("token")) read_token(*token);
    if (auto sessions = required_table("sessions")) read_sessions(*sessions);
    if (auto log = required_table("log")) read_log(*log);
    if (auto statuses = root_.table("statuses")) read_statuses(*statuses);
    root_.finish();
  }

 private:
  std::optional<TableReader> required_table(std::string_view key) {
    if (!root_.has(key)) root_.refuse(key, "found nothing, expected the table [" + std::string(key) + "]");
    return root_.table(key);
  }

  void read_version(TableReader& table) {
    table.require("default", "the version to ask for when a source names none", into_.version.fallback, identifier);
    table.read("header", into_.version.header, header_name);
    table.finish();
  }

  void read_token(TableReader& table) {
    Dialect::Token& token = into_.token;
    table.require("path", "where to log in", token.path, plain_path);
    table.read("logout_path", token.logout_path, plain_path);
    table.read("logout_method", token.logout_method, word<std::string>({{"DELETE", "DELETE"}, {"POST", "POST"}}));
    table.require("password_grant", "the form to log in with", token.password_grant, password_grant);
    table.read("refresh_grant", token.refresh_grant, refresh_grant);
    table.read("access_token", token.access_token, filled_text);
    table.read("refresh_token", token.refresh_token, filled_text);
    table.read("expires_in", token.expires_in, filled_text);
    table.read("mfa_token", token.mfa_token, filled_text);
    table.finish();
  }

  void read_sessions(TableReader& table) {
    Dialect::Sessions& sessions = into_.sessions;
    if (table.require("path", "where sessions are listed", sessions.path, plain_path))
      check_version(table, sessions.path);
    table.require("one_path", "where one session is", sessions.one_path, path_of_one);
    table.read("query", sessions.query, query);
    table.read("offset", sessions.offset, text);
    table.read("limit", sessions.limit, text);
    together(table, "offset", sessions.offset.empty(), "limit", sessions.limit.empty());
    table.read("page_size", sessions.page_size, integer_between(1, 10'000));
    table.read("ascending", sessions.ascending, boolean);
    table.read("from", sessions.from, text);
    table.read("to", sessions.to, text);
    table.read("status_filter", sessions.status_filter, text);
    table.read("running_words", sessions.running_words, texts);
    table.read("queued_words", sessions.queued_words, texts);
    together(table, "status_filter", sessions.status_filter.empty(), "running_words", sessions.running_words.empty());
    table.require("items", "the name of the array of sessions in the response", sessions.items, filled_text);
    table.read("total", sessions.total, text);
    table.require("final_words", "the states after which a session does not change", sessions.final_words, texts);
    if (auto fields = table.table("fields")) {
      read_session_fields(*fields);
    } else if (!table.has("fields")) {
      table.refuse("fields", "found nothing, expected the table [sessions.fields]");
    }
    table.finish();
  }

  void read_session_fields(TableReader& table) {
    Dialect::Sessions& sessions = into_.sessions;
    table.require("id", "the name of the session's id", sessions.id, alternatives);
    table.require("status", "the name of the session's state", sessions.status, alternatives);
    table.require("start", "the name of the time it began", sessions.start, alternatives);
    table.read("stop", sessions.stop, alternatives);
    table.read("type", sessions.type, alternatives);
    table.read("name", sessions.session_name, alternatives);
    table.read("parent", sessions.parent, alternatives);
    table.read("update_number", sessions.update_number, alternatives);
    table.finish();
  }

  void read_log(TableReader& table) {
    Dialect::Log& log = into_.log;
    if (table.require("path", "where a session's log is", log.path, path_of_one)) check_version(table, log.path);
    table.read("session_id", log.session_id, text);
    table.require("entries", "the name of the array of entries in the response", log.entries, filled_text);
    if (auto fields = table.table("fields")) {
      read_entry_fields(*fields);
    } else if (!table.has("fields")) {
      table.refuse("fields", "found nothing, expected the table [log.fields]");
    }
    table.require("identity", "the fields that make an entry itself", log.identity,
                  [&](const TomlValue& value) { return identity(value); });
    table.read("identity_before", log.identity_before, [&](const TomlValue& value) { return identity(value); });
    table.require("content", "the other fields of an entry", log.content,
                  [&](const TomlValue& value) { return content(value); });
    if (log.identity_before.empty()) log.identity_before = log.identity;
    for (std::vector<EntryField>& alternatives : log.identity) {
      std::erase_if(alternatives, [&](EntryField field) { return std::ranges::count(log.content, field) > 0; });
    }
    using From = Dialect::Log::DurationFrom;
    using Notation = Dialect::Log::DurationNotation;
    table.read("duration_from", log.duration_from, word<From>({{"times", From::kTimes}, {"field", From::kField}}));
    table.read("duration_notation", log.duration_notation,
               word<Notation>({{"milliseconds", Notation::kMilliseconds},
                               {"seconds", Notation::kSeconds},
                               {"timespan", Notation::kTimeSpan}}));
    if (table.has("duration_from")) {
      const bool from_times = log.duration_from == From::kTimes;
      if (called(from_times ? EntryField::kStart : EntryField::kDuration).empty()) {
        table.refuse("duration_from", std::string("found no ") + (from_times ? "start" : "duration") +
                                          " in log.fields, expected it there");
      }
    }
    table.finish();
  }

  void read_entry_fields(TableReader& table) {
    for (std::size_t i = 0; i < kEntryFields; ++i) {
      std::string& name = into_.log.fields[i];
      table.read(kFieldKeys[i], name, entry_field_name);
      const auto earlier = into_.log.fields.begin() + static_cast<std::ptrdiff_t>(i);
      if (!name.empty() && std::find(into_.log.fields.begin(), earlier, name) != earlier) {
        table.refuse(kFieldKeys[i], "found " + in_quotes(name) + " twice, expected each field once");
      }
    }
    if (!table.has("log_time")) table.refuse("log_time", "found nothing, expected the name of the entry's time");
    table.finish();
  }

  // "|" separates alternatives in `identity`.
  static std::string entry_field_name(const TomlValue& value) {
    std::string found = filled_text(value);
    if (found.find('|') != found.npos) throw ValueError(describe(value), "a field's name without \"|\"");
    return found;
  }

  std::vector<std::vector<EntryField>> identity(const TomlValue& value) const {
    std::vector<std::vector<EntryField>> out;
    for (const std::string& element : texts(value)) {
      out.emplace_back();
      for (std::size_t from = 0; from <= element.size();) {
        const std::size_t bar = std::min(element.find('|', from), element.size());
        out.back().push_back(declared(std::string_view(element).substr(from, bar - from)));
        from = bar + 1;
      }
    }
    if (out.empty()) throw ValueError("an empty array", "at least one field");
    return out;
  }

  std::vector<EntryField> content(const TomlValue& value) const {
    std::vector<EntryField> out;
    for (const std::string& name : texts(value)) out.push_back(declared(name));
    return out;
  }

  EntryField declared(std::string_view name) const {
    const auto& fields = into_.log.fields;
    const auto found = std::ranges::find(fields, name);
    if (name.empty() || found == fields.end()) throw ValueError(in_quotes(name), "a field that log.fields names");
    return static_cast<EntryField>(found - fields.begin());
  }

  const std::string& called(EntryField field) const { return into_.log.fields[static_cast<std::size_t>(field)]; }

  void read_statuses(TableReader& table) {
    for (const TomlMember& member : table.raw().members) {
      StatusWord status{member.key};
      if (auto meaning = table.table(member.key)) {
        meaning->read("final", status.final, boolean);
        meaning->read(
            "outcome", status.outcome,
            word<Outcome>(
                {{"success", Outcome::kSuccess}, {"failure", Outcome::kFailure}, {"unknown", Outcome::kUnknown}}));
        meaning->read("level", status.level,
                      word<Level>({{"info", Level::kInfo},
                                   {"notice", Level::kNotice},
                                   {"warning", Level::kWarning},
                                   {"error", Level::kError}}));
        meaning->finish();
      }
      into_.statuses.push_back(std::move(status));
    }
  }

  // Without a header the version can only stand in the path.
  void check_version(const TableReader& table, std::string_view path) const {
    if (into_.version.header.empty() && path.find("{version}") == path.npos) {
      table.refuse("path", "found " + in_quotes(path) + ", expected {version} in it since version.header is not set");
    }
  }

  static void together(const TableReader& table, std::string_view one, bool one_empty, std::string_view other,
                       bool other_empty) {
    if (one_empty == other_empty) return;
    table.refuse(one_empty ? other : one,
                 "found no " + std::string(one_empty ? one : other) + " beside it, expected both or none");
  }

  TableReader& root_;
  Dialect& into_;
};

}  // namespace

std::variant<Dialect, std::vector<ConfigError>> parse_dialect(std::string_view text,
                                                              const std::filesystem::path& file) {
  ErrorList errors;
  Dialect dialect;
  if (const std::optional<TomlTable> table = parse_toml(text, file.string(), errors)) {
    TableReader root(errors, file.string(), "", 1, *table);
    DialectReader(root, dialect).read();
  }
  if (!errors.empty()) return errors.in_order();
  return dialect;
}

}  // namespace sessionlogd
