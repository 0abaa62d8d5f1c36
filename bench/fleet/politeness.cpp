#include "bench/fleet/politeness.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace fleet {

const char* const Politeness::kFields[] = {"most_in_flight",
                                           "busiest_second",
                                           "above_rate",
                                           "most_ahead_ms",
                                           "inside_retry_after",
                                           "on_the_wire",
                                           "latest_on_the_wire_ms",
                                           "hasty_logins",
                                           "bad_requests",
                                           "redirects_followed",
                                           "logins",
                                           "refreshes"};

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
      const std::uint64_t value = account[kFields[i]].get_uint64().value();
      measure.sum += value;
      if (value <= measure.worst) continue;
      measure.worst = value;
      measure.source = std::string(account["source"].get_string().value());
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
  std::string table = fmt::format("{:<22}{:>12}{:>12}  {}\n", "", "all", "worst", "of");
  for (std::size_t i = 0; i < kMeasures; ++i) {
    const Measure& m = measures_[i];
    // Maxima of different appliances have no sum that means something.
    const bool is_maximum = i == kMostInFlight || i == kBusiestSecond || i == kMostAhead || i == kLatestOnTheWire;
    fmt::format_to(std::back_inserter(table), "{:<22}{:>12}{:>12}  {}\n", kFields[i],
                   is_maximum ? "" : std::to_string(m.sum), m.worst, m.source);
  }
  return table;
}

}  // namespace fleet
