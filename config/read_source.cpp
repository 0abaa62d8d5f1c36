#include "config/read_source.h"

#include <algorithm>

#include "config/dialect_set.h"
#include "config/read_poll.h"
#include "config/read_tls.h"
#include "config/time_zone.h"
#include "config/url.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using S = SourceSettings;

std::string url(const TomlValue& value) {
  const auto* found = std::get_if<std::string>(&value.value);
  if (found == nullptr) throw ValueError(describe(value), R"(a URL like "https://10.0.0.5:11005")");
  return parse_url(*found).text;
}

// Ends in a header or in a path, so it holds nothing that could end either.
std::string api_version(const TomlValue& value) {
  constexpr std::string_view kExpected = R"(a version like "1.6-rev0" or "v8")";
  std::string found = text(value);
  if (!is_identifier(found) || found.find_first_not_of('.') == found.npos) throw ValueError(describe(value), kExpected);
  return found;
}

// Flat, since the labels of an event are; a dot in a name would make it deep again.
std::vector<std::pair<std::string, std::string>> labels(const TomlValue& value, const ReadContext& context) {
  const auto* table = std::get_if<TomlTable>(&value.value);
  if (table == nullptr) throw ValueError(describe(value), R"(a table like { site = "fra1" })");
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, label] : table->members) {
    if (!is_identifier(name) || name.find('.') != name.npos) {
      throw ValueError("the label " + in_quotes(name), "a name of 1 to 64 letters, digits, \"_\" or \"-\"");
    }
    if (name.size() > context.longest_label) {
      throw ValueError("the label " + in_quotes(name),
                       "a name of 1 to " + std::to_string(context.longest_label) + " bytes, as sink.format takes them");
    }
    if (!std::holds_alternative<std::string>(label.value)) {
      throw ValueError(describe(label) + " for the label " + in_quotes(name), "a string");
    }
    out.emplace_back(name, text(label));
  }
  return out;
}

const Keys<SessionTypes>& session_types_keys() {
  using T = SessionTypes;
  static const Keys<T> keys = a_key_for_each_member<T>({
      {"include", &T::include, lists_by(filled_texts), "these only", {.default_words = "all"}},
      {"exclude", &T::exclude, lists_by(filled_texts), "not these", {.default_words = "none"}},
  });
  return keys;
}

void read_session_types(TableReader& table, const ReadContext& context, SessionTypes& into) {
  read_keys(table, session_types_keys(), context, into);
  for (const std::string& type : into.exclude) {
    if (std::ranges::find(into.include, type) != into.include.end()) {
      table.refuse("exclude", "found " + in_quotes(type) + " in include and in exclude, expected it in one of them");
    }
  }
  table.finish();
}

void check_login(const TableReader& table) {
  const bool username = table.has("username");
  const bool password = table.has("password");
  if (table.has("token")) {
    if (username || password) {
      table.refuse("token", "found a token and username or password, expected one way to log in");
    }
  } else if (!username && !password) {
    table.refuse("password", "found nothing, expected username and password, or token");
  } else if (!password) {
    table.refuse("password",
                 R"(found nothing, expected "file:/path", "env:NAME" or "credential:NAME" beside username)");
  } else if (!username) {
    table.refuse("username", "found nothing, expected the user's name beside password");
  }
}

std::shared_ptr<const Dialect> find_dialect(const std::string& name, DialectSet& dialects) {
  std::shared_ptr<const Dialect> dialect = dialects.find(name);
  if (dialect == nullptr && !dialects.incomplete()) {
    const std::string_view meant = closest(name, dialects.names());
    throw ValueError(in_quotes(name),
                     dialects.expected() + (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
  }
  return dialect;
}

// Is compared by what it says, since each reading makes its own.
Key<S> dialect_key() {
  Key<S> key("dialect", &S::dialect, Form<std::shared_ptr<const Dialect>>{},
             "`veeam-aws`, `veeam-azure`, or the name of a file in `dialects/` beside the configuration",
             {.required = "one of those", .shown = ShownIn::kElsewhere});
  key.read = [](TableReader& table, const ReadContext& context, S& into) {
    return table.require("dialect", context.dialects->expected(), into.dialect,
                         [&](const TomlValue& value) { return find_dialect(text(value), *context.dialects); });
  };
  key.equal = [](const S& a, const S& b) { return *a.dialect == *b.dialect; };
  key.write = [](const S& source, const S*, WrittenFor) {
    return source.dialect ? std::optional(toml(source.dialect->name)) : std::nullopt;
  };
  return key;
}

Form<std::vector<std::string>> sessions() {
  Form<std::vector<std::string>> form = lists_by(filled_texts);
  form.write = [](const std::vector<std::string>& ids, WrittenFor) {
    return ids.empty() ? std::nullopt : std::optional(toml(ids));
  };
  return form;
}

Form<TimeZone> time_zones() {
  return {[](const TomlValue& value, const ReadContext&) { return parse_time_zone(text(value)); },
          [](const TimeZone& zone, WrittenFor) { return std::optional(toml(zone.name)); }};
}

using Labels = std::vector<std::pair<std::string, std::string>>;

Form<Labels> label_tables() {
  return {[](const TomlValue& value, const ReadContext& context) { return labels(value, context); },
          [](const Labels& labels, WrittenFor) {
            TomlTable table;
            for (const auto& [name, label] : labels) table.members.push_back({name, toml(label)});
            TomlValue out;
            out.value = std::move(table);
            return std::optional(std::move(out));
          }};
}

// Overrides [poll], where the keys are documented; what the usual source says, too, is left out.
Key<S> poll_key() {
  Key<S> key = table_key("poll", &S::poll, poll_keys, read_poll, "overrides", {.default_words = "`[poll]`"});
  key.write = [](const S& source, const S* usual, WrittenFor where) {
    TomlTable poll;
    for (const Key<PollSettings>& each : poll_keys()) {
      if (usual != nullptr && each.equal(source.poll, usual->poll)) continue;
      poll.members.push_back({std::string(each.name), *each.write(source.poll, nullptr, where)});
    }
    TomlValue out;
    out.value = std::move(poll);
    return std::optional(std::move(out));
  };
  key.rows_below = nullptr;
  return key;
}

const TomlTable* table_below(const TableReader& table, std::string_view key) {
  const TomlValue* value = table.raw().find(key);
  return value == nullptr ? nullptr : std::get_if<TomlTable>(&value->value);
}

// A secret passes in clear where it leaves this machine without TLS: to the source, or to the proxy in between.
bool sends_in_clear(const Url& source, const Url& proxy) {
  if (source.encrypted || source.host.empty()) return false;
  return !is_loopback(source.host) || (!proxy.host.empty() && !is_loopback(proxy.host));
}

constexpr std::string_view kCloseIt = ": anyone there can log in with it; chmod o-r it";

void warn_of_exposure(const SourceSettings& source, const std::string& who, std::vector<std::string>& warnings) {
  std::vector<Secret> secrets;
  if (source.password) secrets.push_back(*source.password);
  if (source.token) secrets.push_back(*source.token);
  if (!source.tls.key_file.empty()) secrets.push_back(Secret::parse("file:" + source.tls.key_file));
  for (const Secret& secret : secrets) {
    if (const std::string exposed = secret.exposure(); !exposed.empty()) {
      warnings.push_back(who + exposed + std::string(kCloseIt));
    }
  }
}

}  // namespace

// `host` is made of the url.
const Keys<SourceSettings>& source_keys() {
  static const Keys<S> keys = a_key_for_each_member<S, 1>({
      {"name",
       &S::name,
       texts_by(identifier),
       "unique; 1 to 64 letters, digits, `.`, `_` or `-`",
       {.required = "the source's name", .shown = ShownIn::kElsewhere}},
      {"id",
       &S::id,
       texts_by(identifier),
       "what enters `event.id`, the Kafka key and the state: to rename a source, keep it",
       {.default_words = "the name", .shown = ShownIn::kElsewhere}},
      dialect_key(),
      {"url",
       &S::url,
       texts_by(url),
       "`http://` is warned about at every start when a secret would leave this host in clear",
       {.required = R"(a URL like "https://10.0.0.5:11005")", .shown = ShownIn::kElsewhere}},
      {"proxy", &S::proxy, texts_by(url), "the environment's proxy variables are ignored", {.default_words = "none"}},
      {"username",
       &S::username,
       texts_by(filled_text),
       "an account with a viewer's role, without MFA",
       {.default_words = "none", .shown = ShownIn::kOwn}},
      {"password",
       &S::password,
       secrets_by(readable_secret),
       "of that account",
       {.default_words = "none", .shown = ShownIn::kOwn}},
      {"token",
       &S::token,
       secrets_by(readable_token),
       "a fixed bearer token, instead of username and password",
       {.default_words = "none", .shown = ShownIn::kOwn}},
      {"api_version",
       &S::api_version,
       texts_by(api_version),
       "a header (AWS) or a part of the path (Azure); appliances accept about three versions only",
       {.default_words = "the dialect's"}},
      {"sessions",
       &S::sessions,
       sessions(),
       "only these ids, as the source writes them, without listing",
       {.default_words = "all", .shown = ShownIn::kOwn}},
      table_key("session_types", &S::session_types, session_types_keys, read_session_types,
                "of the sessions that are listed"),
      {"time_zone", &S::time_zone, time_zones(),
       "of times without a zone: `\"UTC\"`, `\"+02:00\"` or `\"Europe/Berlin\"`"},
      table_key("tls", &S::tls, tls_keys, read_tls, "a table of the keys below, or `[source.tls]`"),
      {"labels", &S::labels, label_tables(), "flat strings, copied into every event", {.default_words = "none"}},
      {"keep_original", &S::keep_original, yes_or_no(), "the raw JSON of every entry in `event.original`"},
      poll_key(),
  });
  return keys;
}

SourceSettings read_source(TableReader& table, const ReadContext& context) {
  SourceSettings source;
  source.poll = context.poll.poll;
  read_keys(table, source_keys(), context, source);
  check_login(table);

  const Url address = source.url.empty() ? Url{} : parse_url(source.url);
  const Url proxy = source.proxy.empty() ? Url{} : parse_url(source.proxy);
  source.host = address.host;
  if (source.id.empty()) source.id = source.name;
  if (source.api_version.empty() && source.dialect) source.api_version = source.dialect->version.fallback;
  if (table_below(table, "tls") != nullptr && !address.host.empty() && !address.encrypted)
    table.refuse("tls", "found tls beside an http URL, expected https");
  const TomlTable* poll = table_below(table, "poll");
  const bool retention_given = context.poll.retention_given || (poll != nullptr && poll->find("retention") != nullptr);
  if (!retention_given && source.dialect) source.poll.retention = parse_duration(source.dialect->retention);
  table.finish();

  const std::string who = "source " + in_quotes(source.name) + ": ";
  if (context.opens_files()) warn_of_exposure(source, who, context.warnings);
  if (!source.tls.verify)
    context.warnings.push_back(who + "tls.verify = false: whoever responds at " + source.url + " is believed");
  if (sends_in_clear(address, proxy)) {
    context.warnings.push_back(who + source.url + " is not encrypted: the " + (source.token ? "token" : "password") +
                               " leaves this host in clear");
  }
  return source;
}

bool operator==(const SourceSettings& a, const SourceSettings& b) { return equal_by(source_keys(), a, b); }

}  // namespace sessionlogd
