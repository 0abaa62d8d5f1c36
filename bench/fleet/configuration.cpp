#include "bench/fleet/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

namespace fleet {

namespace {

// Fast enough for a demonstration of seconds; settle is longer than the fleet's entries are late.
const PollOptions kPollDefaults = {{"interval", "500ms"}, {"max_interval", "2s"}, {"discovery_interval", "1s"},
                                   {"settle", "3s"},      {"timeout", "10s"},     {"connections", "4"},
                                   {"rate", "100/s"}};

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

PollOptions with_defaults(PollOptions poll) {
  for (const auto& [key, value] : kPollDefaults) {
    const auto same = [&key = key](const auto& given) { return given.first == key; };
    if (std::none_of(poll.begin(), poll.end(), same)) poll.emplace_back(key, value);
  }
  return poll;
}

}  // namespace

std::pair<std::string, std::string> read_poll_option(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw std::invalid_argument("a poll option is KEY=VALUE: " + text);
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Allowance allowance_of(const PollOptions& poll) {
  Allowance allowed;
  for (const auto& [key, value] : with_defaults(poll)) {
    if (key == "rate") allowed.rate = std::strtod(value.c_str(), nullptr);
    if (key == "connections") allowed.connections = std::strtoull(value.c_str(), nullptr, 10);
  }
  return allowed;
}

std::string daemon_configuration(const std::string& folder, const std::vector<Endpoint>& endpoints,
                                 const PollOptions& poll, const std::string& username, bool tls) {
  std::string toml = fmt::format("[daemon]\nstate_dir = \"{}/state\"\nadmin = \"\"\n\n[poll]\n", folder);
  for (const auto& [key, value] : with_defaults(poll)) {
    const char* quote = is_number(value) ? "" : "\"";
    fmt::format_to(std::back_inserter(toml), "{} = {}{}{}\n", key, quote, value, quote);
  }
  fmt::format_to(std::back_inserter(toml), "\n[sink]\ntype = \"file\"\npath = \"{}/events.ndjson\"\n", folder);
  for (const Endpoint& endpoint : endpoints) {
    fmt::format_to(std::back_inserter(toml),
                   "\n[[source]]\nname = \"{}\"\ndialect = \"{}\"\nurl = \"{}\"\nusername = \"{}\"\npassword = "
                   "\"file:{}/password\"\n",
                   endpoint.source, endpoint.dialect == Dialect::aws ? "veeam-aws" : "veeam-azure", endpoint.url,
                   username, folder);
    if (endpoint.has_short_retention) toml += "poll = { retention = \"1h\" }\n";
    // The certificate names 127.0.0.1 and localhost; the latter holds for every loopback address.
    if (tls)
      fmt::format_to(std::back_inserter(toml), "tls = {{ ca_file = \"{}/ca.pem\", server_name = \"localhost\" }}\n",
                     folder);
  }
  return toml;
}

}  // namespace fleet
