#include "bench/fleet/listing.h"

#include <algorithm>
#include <charconv>

#include "bench/fleet/http.h"

namespace fleet {

namespace {

constexpr std::size_t kAzurePage = 30;  // documented
constexpr std::size_t kAwsPage = 100;   // nowhere documented
constexpr std::size_t kLargestPage = 5000;

bool read_number(std::string_view text, std::int64_t least, std::size_t& into) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least) return false;
  into = value < 0 ? kLargestPage : static_cast<std::size_t>(value);
  return true;
}

bool read_time(Dialect dialect, std::string_view text, Nanos& into) {
  // Azure refuses times without a zone since v4.
  if (dialect == Dialect::azure && !text.ends_with('Z')) return false;
  const std::optional<Nanos> time = parse_time(text);
  if (time) into = *time;
  return time.has_value();
}

bool read_one(Dialect dialect, std::string_view key, const std::string& value, Listing& into) {
  if (equal_ignoring_case(key, "Offset")) return read_number(value, 0, into.offset);
  if (equal_ignoring_case(key, "Limit")) return read_number(value, -1, into.limit);
  if (equal_ignoring_case(key, "FromUtc")) return read_time(dialect, value, into.from);
  if (equal_ignoring_case(key, "ToUtc")) return read_time(dialect, value, into.to);
  if (equal_ignoring_case(key, "Status")) return into.statuses.push_back(value), true;
  if (equal_ignoring_case(key, "Types")) return into.types.push_back(value), true;
  if (equal_ignoring_case(key, "Sort") && dialect == Dialect::aws) {
    into.newest_first = value == "startTimeDesc";
    return into.newest_first || value == "startTimeAsc";
  }
  return true;  // other filters do not narrow what we hold
}

}  // namespace

bool Listing::shows(const Session& session, Nanos at, Nanos freeze) const {
  const Nanos start = told_start(session, at, freeze);
  if (start < from || start > to) return false;
  if (statuses.empty() && types.empty()) return true;
  const std::string_view status = session.is_final(at, freeze) ? session.final_status : "Running";
  const auto has = [](const std::vector<std::string>& words, std::string_view word) {
    return words.empty() || std::find(words.begin(), words.end(), word) != words.end();
  };
  return has(statuses, status) && has(types, session.type);
}

std::optional<Listing> read_listing(Dialect dialect, std::string_view query) {
  Listing listing;
  listing.limit = dialect == Dialect::aws ? kAwsPage : kAzurePage;
  listing.newest_first = dialect == Dialect::azure;
  for (const auto& [key, value] : decode_parameters(query)) {
    if (!read_one(dialect, key, value, listing)) return std::nullopt;
  }
  listing.limit = std::min(listing.limit, kLargestPage);
  return listing;
}

}  // namespace fleet
