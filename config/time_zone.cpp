#include "config/time_zone.h"

#include <date/tz.h>

#include <exception>
#include <string>

#include "config/units.h"
#include "config/value_error.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kExpectedZone = R"("UTC", an offset like "+02:00", or a zone like "Europe/Berlin")";

// nothing when it is no offset at all; the range is checked by the caller.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  for (const std::size_t at : {1, 2, 4, 5}) {
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
  }
  const int hours = (text[1] - '0') * 10 + (text[2] - '0');
  const int minutes = (text[4] - '0') * 10 + (text[5] - '0');
  if (minutes > 59 || hours * 60 + minutes > 14 * 60) return std::nullopt;
  const std::chrono::minutes offset{hours * 60 + minutes};
  return text[0] == '-' ? -offset : offset;
}

// A name that stays inside the database. "right/" holds zones that count leap seconds, which no appliance does.
bool is_zone_name(std::string_view text) {
  if (text.empty() || text.size() > 64 || text.front() == '/' || text.starts_with("right/")) return false;
  return text.find("..") == text.npos &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") == text.npos;
}

// The same look-up that the sources' times go through: what is taken here can be polled with.
bool is_in_database(std::string_view name) {
  try {
    return date::locate_zone(name) != nullptr;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

TimeZone parse_time_zone(std::string_view text) {
  if (text == "UTC") return {};
  if (const auto offset = parse_offset(text)) return {std::string(text), offset};
  if (!is_zone_name(text)) throw ValueError(in_quotes(text), kExpectedZone);
  if (!is_in_database(text)) {
    throw ValueError(in_quotes(text) + ", which is no zone of the tz database", std::string(kExpectedZone));
  }
  return {std::string(text), std::nullopt};
}

}  // namespace sessionlogd
