#include "core/timestamp.h"

#include <chrono>
#include <limits>

namespace sessionlogd {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kFirstSecond = -62'167'219'200;  // 0000-01-01T00:00:00Z
constexpr std::int64_t kLastSecond = 253'402'300'799;   // 9999-12-31T23:59:59Z

// Reads from the front of a text; every function leaves the text alone when it fails.
struct Reader {
  std::string_view rest;

  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }

  // Exactly `digits` digits.
  bool number(std::size_t digits, unsigned& value) {
    if (rest.size() < digits) return false;
    unsigned sum = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const unsigned digit = static_cast<unsigned char>(rest[i]) - unsigned{'0'};
      if (digit > 9) return false;
      sum = sum * 10 + digit;
    }
    value = sum;
    rest.remove_prefix(digits);
    return true;
  }

  // 1 to 9 digits behind a point, in nanoseconds.
  bool fraction(std::uint32_t& nanos) {
    std::size_t digits = 0;
    std::uint32_t sum = 0;
    while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') {
      if (digits == 9) return false;
      sum = sum * 10 + static_cast<std::uint32_t>(rest[digits] - '0');
      ++digits;
    }
    if (digits == 0) return false;
    rest.remove_prefix(digits);
    for (; digits < 9; ++digits) sum *= 10;
    nanos = sum;
    return true;
  }
};

std::int64_t days_from_civil(unsigned year, unsigned month, unsigned day) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{static_cast<int>(year)}, std::chrono::month{month},
                            std::chrono::day{day}};
  return sys_days{date}.time_since_epoch().count();
}

bool valid_date(unsigned year, unsigned month, unsigned day) {
  return std::chrono::year_month_day{std::chrono::year{static_cast<int>(year)}, std::chrono::month{month},
                                     std::chrono::day{day}}
      .ok();
}

bool read_offset(Reader& in, std::int64_t& seconds, bool& zoned) {
  seconds = 0;
  zoned = true;
  if (in.take('Z') || in.take('z')) return true;
  const bool east = in.take('+');
  if (!east && !in.take('-')) {
    zoned = false;
    return true;
  }
  unsigned hours = 0, minutes = 0;
  if (!in.number(2, hours) || !in.take(':') || !in.number(2, minutes) || hours > 23 || minutes > 59) return false;
  seconds = (east ? 1 : -1) * (std::int64_t{hours} * 3600 + std::int64_t{minutes} * 60);
  return true;
}

void append_padded(std::string& out, unsigned value, unsigned digits) {
  char text[10];
  for (unsigned i = digits; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
  out.append(text, digits);
}

}  // namespace

Instant system_now() {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  return {micros / 1'000'000, static_cast<std::uint32_t>(micros % 1'000'000 * 1'000)};
}

std::optional<std::int64_t> nanoseconds_between(Instant a, Instant b) {
  std::int64_t seconds = 0, nanos = 0;
  if (__builtin_sub_overflow(a.seconds, b.seconds, &seconds)) return std::nullopt;
  std::int64_t rest = std::int64_t{a.nanos} - std::int64_t{b.nanos};
  // With equal signs the product is never larger than the sum.
  if (seconds > 0 && rest < 0) {
    --seconds;
    rest += kNanosPerSecond;
  } else if (seconds < 0 && rest > 0) {
    ++seconds;
    rest -= kNanosPerSecond;
  }
  if (__builtin_mul_overflow(seconds, kNanosPerSecond, &nanos)) return std::nullopt;
  if (__builtin_add_overflow(nanos, rest, &nanos)) return std::nullopt;
  return nanos;
}

std::optional<Instant> add_nanoseconds(Instant at, std::int64_t nanos) {
  std::int64_t seconds = at.seconds + nanos / kNanosPerSecond;
  std::int64_t rest = std::int64_t{at.nanos} + nanos % kNanosPerSecond;
  if (rest < 0) {
    rest += kNanosPerSecond;
    --seconds;
  } else if (rest >= kNanosPerSecond) {
    rest -= kNanosPerSecond;
    ++seconds;
  }
  if (seconds < kFirstSecond || seconds > kLastSecond) return std::nullopt;
  return Instant{seconds, static_cast<std::uint32_t>(rest)};
}

std::optional<ReadTime> parse_rfc3339(std::string_view text) {
  Reader in{text};
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!in.number(4, year) || !in.take('-') || !in.number(2, month) || !in.take('-') || !in.number(2, day))
    return std::nullopt;
  if (!in.take('T') && !in.take('t') && !in.take(' ')) return std::nullopt;
  if (!in.number(2, hour) || !in.take(':') || !in.number(2, minute) || !in.take(':') || !in.number(2, second))
    return std::nullopt;
  if (!valid_date(year, month, day) || hour > 23 || minute > 59 || second > 60) return std::nullopt;

  ReadTime read;
  if (in.take('.') && !in.fraction(read.instant.nanos)) return std::nullopt;
  std::int64_t offset = 0;
  if (!read_offset(in, offset, read.zoned) || !in.rest.empty()) return std::nullopt;

  read.instant.seconds =
      days_from_civil(year, month, day) * kSecondsPerDay + hour * 3600 + minute * 60 + second - offset;
  if (read.instant.seconds < kFirstSecond || read.instant.seconds > kLastSecond) return std::nullopt;
  return read;
}

std::optional<std::int64_t> parse_time_span(std::string_view text) {
  Reader in{text};
  const bool negative = in.take('-');
  unsigned days = 0, hours = 0, minutes = 0, seconds = 0;
  const std::size_t point = in.rest.find_first_of(".:");
  if (point != std::string_view::npos && in.rest[point] == '.') {
    if (point == 0 || point > 8 || !in.number(point, days)) return std::nullopt;
    in.take('.');
  }
  if (!in.number(2, hours) || !in.take(':') || !in.number(2, minutes) || !in.take(':') || !in.number(2, seconds))
    return std::nullopt;
  if (hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
  std::uint32_t nanos = 0;
  if (in.take('.') && !in.fraction(nanos)) return std::nullopt;
  if (!in.rest.empty()) return std::nullopt;

  const std::int64_t whole = std::int64_t{days} * kSecondsPerDay + hours * 3600 + minutes * 60 + seconds;
  std::int64_t span = 0;
  if (__builtin_mul_overflow(whole, kNanosPerSecond, &span) ||
      __builtin_add_overflow(span, std::int64_t{nanos}, &span)) {
    return std::nullopt;
  }
  return negative ? -span : span;
}

void append_rfc3339(std::string& out, Instant at) {
  using namespace std::chrono;
  const std::int64_t day_number =
      at.seconds >= 0 ? at.seconds / kSecondsPerDay : (at.seconds - (kSecondsPerDay - 1)) / kSecondsPerDay;
  const auto of_day = static_cast<unsigned>(at.seconds - day_number * kSecondsPerDay);
  const year_month_day date{sys_days{days{day_number}}};
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_padded(out, of_day / 3600, 2);
  out += ':';
  append_padded(out, of_day / 60 % 60, 2);
  out += ':';
  append_padded(out, of_day % 60, 2);
  if (at.nanos != 0) {
    out += '.';
    if (at.nanos % 1'000'000 == 0) {
      append_padded(out, at.nanos / 1'000'000, 3);
    } else if (at.nanos % 1'000 == 0) {
      append_padded(out, at.nanos / 1'000, 6);
    } else {
      append_padded(out, at.nanos, 9);
    }
  }
  out += 'Z';
}

}  // namespace sessionlogd
