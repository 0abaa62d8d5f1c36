#include "config/read_source.h"

#include <algorithm>

#include "config/time_zone.h"
#include "config/tls_files.h"
#include "config/url.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

Url url(const TomlValue& value) {
  const auto* found = std::get_if<std::string>(&value.value);
  if (found == nullptr) throw ValueError(describe(value), R"(a URL like "https://10.0.0.5:11005")");
  return parse_url(*found);
}

TimeZone time_zone(const TomlValue& value) { return parse_time_zone(text(value)); }

// Ends in a header or in a path, so it holds nothing that could end either.
std::string api_version(const TomlValue& value) {
  constexpr std::string_view kExpected = R"(a version like "1.6-rev0" or "v8")";
  std::string found = text(value);
  if (!is_identifier(found) || found.find_first_not_of('.') == found.npos) throw ValueError(describe(value), kExpected);
  return found;
}

std::vector<std::string> filled_texts(const TomlValue& value) {
  std::vector<std::string> found = texts(value);
  if (found.empty()) throw ValueError("an empty array", "at least one string, or no such key");
  std::vector<std::string> sorted = found;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
    throw ValueError(in_quotes(*twice) + " twice", "each once");
  }
  return found;
}

// 32 bytes are 43 characters of base64 and one "=".
std::vector<std::string> pins(const TomlValue& value) {
  std::vector<std::string> found = filled_texts(value);
  for (const std::string& pin : found) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const bool right = pin.size() == 44 && pin.find_first_not_of(kAlphabet) == 43 && pin[43] == '=' &&
                       kAlphabet.find(pin[42]) % 4 == 0;  // the last two of its six bits are padding
    if (!right) throw ValueError(in_quotes(pin), "the base64 of 32 bytes: the SHA-256 of the certificate's public key");
  }
  return found;
}

std::string host_name(const TomlValue& value) {
  std::string found = text(value);
  if (!is_host(found)) throw ValueError(describe(value), "a host name or an IP address");
  return found;
}

// Flat, since the labels of an event are; a dot in a name would make it deep again.
std::vector<std::pair<std::string, std::string>> labels(const TomlValue& value) {
  const auto* table = std::get_if<TomlTable>(&value.value);
  if (table == nullptr) throw ValueError(describe(value), R"(a table like { site = "fra1" })");
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, label] : table->members) {
    if (!is_identifier(name) || name.find('.') != name.npos) {
      throw ValueError("the label " + in_quotes(name), "a name of 1 to 64 letters, digits, \"_\" or \"-\"");
    }
    if (!std::holds_alternative<std::string>(label.value)) {
      throw ValueError(describe(label) + " for the label " + in_quotes(name), "a string");
    }
    out.emplace_back(name, text(label));
  }
  return out;
}

void read_tls(TableReader& table, SecretFiles secret_files, TlsSettings& into) {
  const auto file = secret_files == SecretFiles::kMustBeReadable ? readable_file : absolute_path;
  bool readable = table.read("ca_file", into.ca_file, file);
  table.read("pin_sha256", into.pin_sha256, pins);
  table.read("server_name", into.server_name, host_name);
  table.read("verify", into.verify, boolean);
  readable = table.read("cert_file", into.cert_file, file) && readable;
  readable = table.read("key_file", into.key_file, file) && readable;
  if (table.has("cert_file") != table.has("key_file")) {
    table.refuse(table.has("cert_file") ? "cert_file" : "key_file",
                 "found one of cert_file and key_file, expected both (they may name the same file)");
  } else if (readable && secret_files == SecretFiles::kMustBeReadable) {
    for (const TlsFileFault& fault : find_tls_file_faults(into.ca_file, into.cert_file, into.key_file)) {
      table.refuse(fault.key, "found a file that cannot be used: " + fault.why);
    }
  }
  table.finish();
}

void read_session_types(TableReader& table, SessionTypes& into) {
  table.read("include", into.include, filled_texts);
  table.read("exclude", into.exclude, filled_texts);
  for (const std::string& type : into.exclude) {
    if (std::ranges::find(into.include, type) != into.include.end()) {
      table.refuse("exclude", "found " + in_quotes(type) + " in include and in exclude, expected it in one of them");
    }
  }
  table.finish();
}

void read_login(TableReader& table, SecretFiles secret_files, SourceSettings& into) {
  const bool opened = secret_files == SecretFiles::kMustBeReadable;
  table.read("username", into.username, filled_text);
  table.read("password", into.password, opened ? readable_secret : secret_reference);
  table.read("token", into.token, opened ? readable_token : secret_reference);
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

std::shared_ptr<const Dialect> read_dialect(TableReader& table, DialectSet& dialects) {
  std::string name;
  if (!table.require("dialect", dialects.expected(), name, text)) return nullptr;
  if (!table.has("dialect")) return nullptr;
  std::shared_ptr<const Dialect> dialect = dialects.find(name);
  if (dialect == nullptr && !dialects.incomplete()) {
    const std::string_view meant = closest(name, dialects.names());
    table.refuse("dialect", "found " + in_quotes(name) + ", expected " + dialects.expected() +
                                (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
  }
  return dialect;
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

SourceSettings read_source(TableReader& table, const SourceContext& context, std::vector<std::string>& warnings) {
  SourceSettings source;
  table.require("name", "the source's name", source.name, identifier);
  source.id = source.name;
  table.read("id", source.id, identifier);
  source.dialect = read_dialect(table, context.dialects);

  Url address;
  Url proxy;
  table.require("url", R"(a URL like "https://10.0.0.5:11005")", address, url);
  table.read("proxy", proxy, url);
  source.url = address.text;
  source.host = address.host;
  source.proxy = proxy.text;

  read_login(table, context.secret_files, source);
  if (source.dialect) source.api_version = source.dialect->version.fallback;
  table.read("api_version", source.api_version, api_version);
  table.read("sessions", source.sessions, filled_texts);
  if (auto types = table.table("session_types")) read_session_types(*types, source.session_types);
  table.read("time_zone", source.time_zone, time_zone);
  if (auto tls = table.table("tls")) {
    read_tls(*tls, context.secret_files, source.tls);
    if (!address.host.empty() && !address.encrypted)
      table.refuse("tls", "found tls beside an http URL, expected https");
  }
  table.read("labels", source.labels, labels);
  table.read("keep_original", source.keep_original, boolean);

  PollDefaults poll = context.poll;
  if (auto overrides = table.table("poll")) read_poll(*overrides, context.memory_bytes, poll);
  source.poll = poll.poll;
  if (!poll.retention_given && source.dialect) source.poll.retention = parse_duration(source.dialect->retention);
  table.finish();

  const std::string who = "source " + in_quotes(source.name) + ": ";
  if (context.secret_files == SecretFiles::kMustBeReadable) warn_of_exposure(source, who, warnings);
  if (!source.tls.verify)
    warnings.push_back(who + "tls.verify = false: whoever answers at " + source.url + " is believed");
  if (sends_in_clear(address, proxy)) {
    warnings.push_back(who + source.url + " is not encrypted: the " + (source.token ? "token" : "password") +
                       " leaves this host in clear");
  }
  return source;
}

}  // namespace sessionlogd
