#include "bench/fleet/politeness.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "bench/fleet/account.h"

namespace fleet {

// A request comes when the kernel gets its first byte, and not when the fleet finds the time to read it.
const Politeness::Field Politeness::kFields[] = {
    {"most_in_flight", "come, and neither answered to the last byte nor given up", true},
    {"busiest_second", "the most that came in one second of the clock", true},
    {"above_rate", "came 100 ms and more before a bucket of one second's worth had room"},
    {"most_ahead_ms", "how long before, the worst", true},
    {"inside_retry_after", "came 100 ms and more after a wish to wait lay before the client, whole"},
    {"on_the_wire", "came sooner after it"},
    {"latest_on_the_wire_ms", "how long after, the worst", true},
    {"hasty_logins", "came less than 30 s after another"},
    {"bad_requests", "answered 400, 404 or 405"},
    {"redirects_followed", ""},
    {"logins", "with a password"},
    {"refreshes", "with a refresh token"}};

Limits Limits::read(std::string_view text) {
  Limits limits;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals), number = part.substr(std::min(equals + 1, part.size()));
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    const bool known = name == "connections" || name == "rate";
    if (!known || error != std::errc{} || end != number.data() + number.size()) {
      throw std::invalid_argument("limits are connections=N,rate=R, not " + std::string(part));
    }
    (name == "rate" ? limits.rate : limits.connections) = value;
  }
  return limits;
}

Politeness Politeness::read(const std::string& ledger) {
  std::ifstream file(ledger);
  if (!file) throw std::runtime_error("cannot read " + ledger);
  Politeness politeness;
  simdjson::dom::parser parser;
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(R"({"record":"account")")) continue;
    const simdjson::dom::element account = parser.parse(line).value();
    for (std::size_t i = 0; i < kMeasures; ++i) {
      Measure& measure = politeness.measures_[i];
      const std::uint64_t value = account[kFields[i].name].get_uint64().value();
      measure.sum += value;
      if (value <= measure.worst) continue;
      measure.worst = value;
      measure.source = std::string(account["source"].get_string().value());
    }
    for (const simdjson::dom::element told : account["told"].get_array()) {
      politeness.told_.push_back(
          {std::string(account["source"].get_string().value()), std::string(told.get_string().value())});
    }
  }
  return politeness;
}

std::vector<std::string> Politeness::violations(const Limits& limits) const {
  std::vector<std::string> found;
  const auto above = [&](const Measure& measure, const char* what, std::uint64_t allowed) {
    if (measure.worst > allowed) {
      found.push_back(fmt::format("{}: {} {}, {} allowed", measure.source, measure.worst, what, allowed));
    }
  };
  if (limits.connections) above(measures_[kMostInFlight], "requests in flight", *limits.connections);
  if (limits.rate) above(measures_[kBusiestSecond], "requests in a second", 2 * *limits.rate);
  if (limits.rate) above(measures_[kAboveRate], "requests above the rate", 0);
  above(measures_[kInsideRetryAfter], "requests within Retry-After", 0);
  above(measures_[kHastyLogins], "logins less than 30 s after another", 0);
  above(measures_[kRedirects], "redirects followed", 0);
  return found;
}

std::string Politeness::to_table() const {
  std::string table = fmt::format("{:<22}{:>9}{:>9}  {:<12}{}\n", "", "all", "worst", "of", "requests that");
  for (std::size_t i = 0; i < kMeasures; ++i) {
    const Measure& m = measures_[i];
    fmt::format_to(std::back_inserter(table), "{:<22}{:>9}{:>9}  {:<12}{}\n", kFields[i].name,
                   kFields[i].is_maximum ? "" : std::to_string(m.sum), m.worst, m.source, kFields[i].meaning);
  }
  return table;
}

// A line begins with its time.
std::vector<std::string> Politeness::first_told() const {
  std::vector<Told> told = told_;
  std::sort(told.begin(), told.end(), [](const Told& a, const Told& b) { return a.line < b.line; });
  if (told.size() > Account::kMostTold) told.resize(Account::kMostTold);
  std::vector<std::string> lines;
  for (const Told& each : told) lines.push_back(each.source + ": " + each.line);
  return lines;
}

}  // namespace fleet
