#include "bench/fleet/sharing.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <utility>

namespace fleet {

namespace {

constexpr Nanos kBetweenLogins = 30 * kSecond;

Sharing::Kind kind_of(std::string_view name) {
  if (name == "login") return Sharing::Kind::login;
  return name == "logout" ? Sharing::Kind::logout : Sharing::Kind::request;
}

}  // namespace

Moment Moment::read(std::string_view text) {
  const std::size_t at = std::min(text.find('@'), text.size());
  const std::string_view number = text.substr(std::min(at + 1, text.size()));
  Moment moment{std::string(text.substr(0, at)), 0};
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), moment.at);
  if (moment.who.empty() || error != std::errc{} || end != number.data() + number.size()) {
    throw std::invalid_argument("a moment is WHO@NANOSECONDS, not " + std::string(text));
  }
  return moment;
}

Sharing Sharing::read(const std::string& visits) {
  std::ifstream file(visits);
  if (!file) throw std::runtime_error("cannot read " + visits);
  Sharing sharing;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(file, line);) {
    simdjson::dom::element visit;
    std::string_view source, who, kind;
    Nanos at = 0;
    if (parser.parse(line).get(visit) || visit["source"].get(source) || visit["by"].get(who) || visit["at"].get(at) ||
        visit["kind"].get(kind)) {
      throw std::runtime_error(visits + " holds what is no visit: " + line);
    }
    sharing.add(std::string(source), std::string(who), at, kind_of(kind));
  }
  return sharing;
}

void Sharing::add(const std::string& source, const std::string& who, Nanos at, Kind kind) {
  visits_[source].push_back({at, who, kind});
}

Sharing::Visits Sharing::in_order(const Visits& visits) const {
  Visits sorted = visits;
  std::ranges::stable_sort(sorted, {}, &Came::at);
  return sorted;
}

std::vector<Sharing::Came> Sharing::in_between(const Visits& visits) {
  std::vector<Came> found;
  for (auto visit = visits.begin(); visit != visits.end(); ++visit) {
    if (visit->kind == Kind::logout) continue;
    const auto lies_in_a_turn = [&](const Came& after) {
      if (after.who == visit->who || after.kind == Kind::logout) return false;
      return std::any_of(visits.begin(), visit, [&](const Came& before) {
        return before.who == after.who && before.kind != Kind::logout && after.at - before.at <= kTurn;
      });
    };
    const auto last = std::find_if(visit, visits.end(), [&](const Came& c) { return c.at > visit->at + kTurn; });
    if (std::any_of(visit, last, lies_in_a_turn)) found.push_back(*visit);
  }
  return found;
}

Sharing::Worst Sharing::busiest_second() const {
  Worst worst;
  for (const auto& [source, visits] : visits_) {
    std::map<Nanos, std::uint64_t> counts;
    for (const Came& visit : visits) {
      const std::uint64_t count = ++counts[visit.at / kSecond];
      if (count > worst.count) worst = {count, source, visit.at};
    }
  }
  return worst;
}

Sharing::Worst Sharing::most_logins(Nanos within, const std::vector<Moment>& starts) const {
  Worst worst;
  for (const auto& [source, visits] : visits_) {
    std::vector<Nanos> logins;
    std::map<std::string, Nanos> last;  // by who
    for (const Came& visit : in_order(visits)) {
      if (visit.kind != Kind::login) continue;
      const Nanos before = std::exchange(last.try_emplace(visit.who, kLongAgo).first->second, visit.at);
      const auto is_its_start = [&](const Moment& start) {
        return start.who == visit.who && before < start.at && start.at <= visit.at;
      };
      if (std::ranges::any_of(starts, is_its_start)) continue;
      logins.push_back(visit.at);
      const auto first = std::find_if(logins.begin(), logins.end(), [&](Nanos at) { return at > visit.at - within; });
      const auto count = static_cast<std::uint64_t>(logins.end() - first);
      if (count > worst.count) worst = {count, source, visit.at};
    }
  }
  return worst;
}

std::vector<std::string> Sharing::violations(const SharingLimits& limits) const {
  std::vector<std::string> found;
  const auto above = [&](const Worst& worst, const char* what, std::uint64_t allowed) {
    if (worst.count > allowed)
      found.push_back(
          fmt::format("{}: {} {}, {} allowed, at {}", worst.source, worst.count, what, allowed, azure_time(worst.at)));
  };
  if (limits.rate) above(busiest_second(), "requests in a second", 2 * *limits.rate);
  if (limits.members) above(most_logins(kBetweenLogins, limits.starts), "logins in 30 s", *limits.members);
  for (const auto& [source, visits] : visits_) {
    for (const Came& visit : in_between(in_order(visits))) {
      for (const Moment& thaw : limits.thaws) {
        const Nanos after = visit.at - thaw.at;
        if (visit.who != thaw.who || after < kThawed || after > kThawIsOver) continue;
        found.push_back(fmt::format("{}: {} came {} ms after it went on, between two requests of the owner", source,
                                    visit.who, after / kMillisecond));
      }
    }
  }
  return found;
}

std::string Sharing::to_table() const {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> by;  // requests and logins
  std::uint64_t between = 0, shared = 0;
  for (const auto& [source, visits] : visits_) {
    std::set<std::string> who;
    for (const Came& visit : visits) {
      auto& [requests, logins] = by[visit.who];
      ++requests;
      logins += visit.kind == Kind::login ? 1 : 0;
      who.insert(visit.who);
    }
    shared += who.size() > 1 ? 1 : 0;
    between += in_between(in_order(visits)).size();
  }
  std::string table = fmt::format("{:<22}{:>9}{:>9}\n", "who", "requests", "logins");
  for (const auto& [who, counts] : by)
    fmt::format_to(std::back_inserter(table), "{:<22}{:>9}{:>9}\n", who, counts.first, counts.second);
  const Worst second = busiest_second(), logins = most_logins(kBetweenLogins, {});
  fmt::format_to(
      std::back_inserter(table),
      "sources               {:>9}\nof them had several   {:>9}\nrequests in a second  {:>9}  at most, of {}\n"
      "logins in 30 s        {:>9}  at most, of {}\ncame in between       {:>9}\n",
      visits_.size(), shared, second.count, second.source, logins.count, logins.source, between);
  return table;
}

}  // namespace fleet
