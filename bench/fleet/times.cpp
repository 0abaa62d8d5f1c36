#include "bench/fleet/times.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

namespace fleet {

namespace {

struct Civil {
  int year;
  unsigned month, day, weekday;
  int hour, minute, second;
  Nanos fraction;
};

Civil civil(Nanos at) {
  const std::chrono::sys_time<std::chrono::nanoseconds> point{std::chrono::nanoseconds(at)};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(point - day);
  return {int(date.year()),
          unsigned(date.month()),
          unsigned(date.day()),
          std::chrono::weekday(day).c_encoding(),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          clock.subseconds().count()};
}

std::string date_and_clock(const Civil& c) {
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kLongDays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// All of `text` as a number of exactly `digits` digits.
std::optional<int> number(std::string_view text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  if (error != std::errc{} || end != text.data() + digits || value < 0) return std::nullopt;
  return value;
}

}  // namespace

Nanos now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string aws_time(Nanos at) {
  const Civil c = civil(at);
  std::string text = date_and_clock(c);
  if (const Nanos tenths = c.fraction / 100; tenths != 0) {
    text += fmt::format(".{:07}", tenths);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

std::string azure_time(Nanos at) {
  const Civil c = civil(at);
  const Nanos tenths = c.fraction / 100;
  return date_and_clock(c) + (tenths % 10 == 0 ? fmt::format(".{:06}Z", tenths / 10) : fmt::format(".{:07}Z", tenths));
}

std::string time_span(Nanos span) {
  const Nanos days = span / (24 * kHour);
  const Nanos rest = span % (24 * kHour);
  std::string text = days > 0 ? fmt::format("{}.", days) : std::string();
  text += fmt::format("{:02}:{:02}:{:02}", rest / kHour, rest / (60 * kSecond) % 60, rest / kSecond % 60);
  if (const Nanos fraction = rest % kSecond / 100; fraction != 0) text += fmt::format(".{:07}", fraction);
  return text;
}

std::string http_date(Nanos at) {
  const Civil c = civil(at);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[c.weekday], c.day, kMonths[c.month - 1], c.year,
                     c.hour, c.minute, c.second);
}

std::string http_date_rfc850(Nanos at) {
  const Civil c = civil(at);
  return fmt::format("{}, {:02}-{}-{:02} {:02}:{:02}:{:02} GMT", kLongDays[c.weekday], c.day, kMonths[c.month - 1],
                     c.year % 100, c.hour, c.minute, c.second);
}

std::string http_date_asctime(Nanos at) {
  const Civil c = civil(at);
  return fmt::format("{} {} {:2} {:02}:{:02}:{:02} {:04}", kDays[c.weekday], kMonths[c.month - 1], c.day, c.hour,
                     c.minute, c.second, c.year);
}

std::optional<Nanos> parse_time(std::string_view text) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto year = number(text, 4), month = number(text.substr(5), 2), day = number(text.substr(8), 2);
  const auto hour = number(text.substr(11), 2), minute = number(text.substr(14), 2),
             second = number(text.substr(17), 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;

  text.remove_prefix(19);
  Nanos fraction = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    Nanos scale = kSecond / 10;
    const std::size_t before = text.size();
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), scale /= 10) {
      fraction += (text.front() - '0') * scale;
    }
    if (text.size() == before) return std::nullopt;
  }
  if (!text.empty() && text != "Z") return std::nullopt;
  const Nanos days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 24 * kHour + *hour * kHour + *minute * 60 * kSecond + *second * kSecond + fraction;
}

}  // namespace fleet
