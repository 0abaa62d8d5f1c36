#include "core/http/http_headers.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/ascii.h"

namespace sessionlogd {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_unreserved(char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_' || c == '~'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_token_character(char c) {
  return is_digit(c) || is_letter(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Reads a date from left to right; a field that does not fit leaves `ok` false.
class DateText {
 public:
  explicit DateText(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

  void skip(std::string_view expected) {
    if (!rest_.starts_with(expected)) return fail();
    rest_.remove_prefix(expected.size());
  }

  void skip_word() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_letter);
    if (end == rest_.begin()) return fail();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.begin()));
  }

  int number(std::size_t digits) {
    if (rest_.size() < digits ||
        !std::all_of(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(digits), is_digit)) {
      fail();
      return 0;
    }
    int value = 0;
    for (char c : rest_.substr(0, digits)) value = value * 10 + (c - '0');
    rest_.remove_prefix(digits);
    return value;
  }

  unsigned month() {
    static constexpr std::string_view kNames = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const std::size_t at = rest_.size() < 3 ? std::string_view::npos : kNames.find(rest_.substr(0, 3));
    if (at == std::string_view::npos || at % 3 != 0) {
      fail();
      return 0;
    }
    rest_.remove_prefix(3);
    return static_cast<unsigned>(at / 3 + 1);
  }

  std::int64_t time_of_day() {
    const int hours = number(2);
    skip(":");
    const int minutes = number(2);
    skip(":");
    const int seconds = number(2);
    if (hours > 23 || minutes > 59 || seconds > 60) fail();  // 60 is a leap second
    return hours * 3600 + minutes * 60 + seconds;
  }

  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

std::optional<std::int64_t> to_unix(const DateText& text, int year, unsigned month, int day, std::int64_t time_of_day) {
  using namespace std::chrono;
  if (!text.ok() || !text.at_end()) return std::nullopt;
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::int64_t{sys_days(date).time_since_epoch().count()} * 86'400 + time_of_day;
}

// Sun Nov  6 08:49:37 1994
std::optional<std::int64_t> parse_asctime(DateText text) {
  text.skip(" ");
  const unsigned month = text.month();
  text.skip(" ");
  int day = 0;
  if (text.peek() == ' ') {
    text.skip(" ");
    day = text.number(1);
  } else {
    day = text.number(2);
  }
  text.skip(" ");
  const std::int64_t time = text.time_of_day();
  text.skip(" ");
  return to_unix(text, text.number(4), month, day, time);
}

}  // namespace

void append_percent_encoded(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  if (std::all_of(text.begin(), text.end(), is_unreserved)) {
    out += text;
    return;
  }
  for (char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

std::optional<std::int64_t> parse_http_date(std::string_view whole) {
  DateText text(trim(whole));
  text.skip_word();
  if (text.peek() != ',') return parse_asctime(text);
  text.skip(", ");
  const int day = text.number(2);
  const bool is_rfc850 = text.peek() == '-';
  const std::string_view separator = is_rfc850 ? "-" : " ";
  text.skip(separator);
  const unsigned month = text.month();
  text.skip(separator);
  int year = text.number(is_rfc850 ? 2 : 4);
  if (is_rfc850) year += year < 70 ? 2000 : 1900;
  text.skip(" ");
  const std::int64_t time = text.time_of_day();
  text.skip(" GMT");
  return to_unix(text, year, month, day, time);
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now_unix) {
  text = trim(text);
  const bool negative = text.starts_with('-');
  const std::string_view digits = negative ? text.substr(1) : text;
  if (!digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit)) {
    if (negative) return std::chrono::seconds(0);
    std::int64_t seconds = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    if (parsed.ec != std::errc()) return kLongestRetryAfter;  // more digits than fit
    return std::min(std::chrono::seconds(seconds), kLongestRetryAfter);
  }
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::seconds(*date - now_unix), std::chrono::seconds(0), kLongestRetryAfter);
}

bool is_sendable_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 1);
  return std::all_of(name.begin(), name.end(), is_token_character) &&
         std::none_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; });
}

bool is_sendable_target(std::string_view target) {
  return target.starts_with('/') &&
         std::none_of(target.begin(), target.end(), [](char c) { return is_control(c) || c == ' ' || c == '#'; });
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace sessionlogd
