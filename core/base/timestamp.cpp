#include "core/base/timestamp.h"

#include <array>
#include <chrono>
#include <cstring>
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

// Eight digits and marks at once, by arithmetic on the bytes of a word (little-endian, as core/identity insists): '0'
// where a digit must stand, else the mark itself.
struct Form {
  consteval Form(const char (&text)[9]) {
    for (int i = 0; i < 8; ++i) {
      bytes |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
      reach |= std::uint64_t{text[i] == '0' ? 6u : 15u} << (8 * i);
    }
  }
  std::uint64_t bytes = 0;
  std::uint64_t reach = 0;  // what above 9 reaches the high half of its byte when this is added; of a mark all but 0
};

constexpr std::uint64_t kEach = 0x0101010101010101;

bool is_low(std::uint64_t bytes) { return (bytes & (kEach * 0xF0)) == 0; }

// Each digit's value in its byte, 0 for a mark. false: the text is not of that form.
bool match(const char* text, Form form, std::uint64_t& values) {
  std::memcpy(&values, text, sizeof values);
  values ^= form.bytes;
  return is_low(values | (values + form.reach));
}

// The number in two digits that begin at byte `at`.
unsigned two_digits(std::uint64_t values, int at) {
  values >>= 8 * at;
  return static_cast<unsigned>(values & 0xF) * 10 + static_cast<unsigned>(values >> 8 & 0xF);
}

// 4 to 8 digits as nanoseconds behind a point.
bool fraction_at_once(std::string_view digits, std::uint32_t& nanos) {
  // The first four and the last four, laid over each other where they are the same bytes; behind them zeros.
  std::uint32_t first, last;
  std::memcpy(&first, digits.data(), 4);
  std::memcpy(&last, digits.data() + digits.size() - 4, 4);
  const unsigned unused = 8 * (8 - static_cast<unsigned>(digits.size()));
  const std::uint64_t bytes = (first | std::uint64_t{last} << (32 - unused)) ^ (kEach * '0' >> unused);
  if (!is_low(bytes | (bytes + kEach * 6))) return false;
  const std::uint64_t pairs = (bytes * 10 + (bytes >> 8)) & 0x00FF00FF00FF00FF;
  const std::uint64_t fours = (pairs * 100 + (pairs >> 16)) & 0x0000FFFF0000FFFF;
  nanos = static_cast<std::uint32_t>(((fours & 0xFFFF) * 10'000 + (fours >> 32)) * 10);
  return true;
}

// What nearly all times look like: "2020-06-20T19:12:00", then perhaps a point and 4 to 8 digits, then perhaps Z.
// false: it must be read byte by byte.
bool read_usual(std::string_view text, ReadTime& read) {
  constexpr std::size_t kToSeconds = 19;
  if (text.size() < kToSeconds) return false;
  std::uint64_t year_month, day_time, time;
  if (!match(text.data(), "0000-00-", year_month) || !match(text.data() + 8, "00T00:00", day_time) ||
      !match(text.data() + 11, "00:00:00", time)) {
    return false;
  }
  const unsigned year = two_digits(year_month, 0) * 100 + two_digits(year_month, 2);
  const unsigned month = two_digits(year_month, 5), day = two_digits(day_time, 0);
  const unsigned hour = two_digits(time, 0), minute = two_digits(time, 3), second = two_digits(time, 6);
  if (month < 1 || month > 12 || day < 1 || (day > 28 && !valid_date(year, month, day))) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;

  text.remove_prefix(kToSeconds);
  read.instant.nanos = 0;
  read.zoned = !text.empty() && text.back() == 'Z';
  if (read.zoned) text.remove_suffix(1);
  if (!text.empty()) {
    if (text.size() < 5 || text.size() > 9 || text.front() != '.') return false;
    if (!fraction_at_once(text.substr(1), read.instant.nanos)) return false;
  }
  read.instant.seconds = days_from_civil(year, month, day) * kSecondsPerDay + hour * 3600 + minute * 60 + second;
  return true;
}

constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (unsigned i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// Two digits, and what follows them.
char* put_pair(char* to, unsigned value, char behind) {
  std::memcpy(to, kPairs.data() + 2 * value, 2);
  to[2] = behind;
  return to + 3;
}

char* put_three(char* to, unsigned value) {
  *to = static_cast<char>('0' + value / 100);
  std::memcpy(to + 1, kPairs.data() + 2 * (value % 100), 2);
  return to + 3;
}

}  // namespace

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

Instant back(Instant at, std::chrono::nanoseconds span) { return add_nanoseconds(at, -span.count()).value_or(at); }

std::optional<ReadTime> parse_rfc3339(std::string_view text) {
  ReadTime read;
  return read_rfc3339(text, read) ? std::optional(read) : std::nullopt;
}

bool read_rfc3339(std::string_view text, ReadTime& to) {
  if (read_usual(text, to)) return true;
  Reader in{text};
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!in.number(4, year) || !in.take('-') || !in.number(2, month) || !in.take('-') || !in.number(2, day)) return false;
  if (!in.take('T') && !in.take('t') && !in.take(' ')) return false;
  if (!in.number(2, hour) || !in.take(':') || !in.number(2, minute) || !in.take(':') || !in.number(2, second))
    return false;
  if (!valid_date(year, month, day) || hour > 23 || minute > 59 || second > 60) return false;

  to.instant.nanos = 0;
  if (in.take('.') && !in.fraction(to.instant.nanos)) return false;
  std::int64_t offset = 0;
  if (!read_offset(in, offset, to.zoned) || !in.rest.empty()) return false;

  to.instant.seconds = days_from_civil(year, month, day) * kSecondsPerDay + hour * 3600 + minute * 60 + second - offset;
  return to.instant.seconds >= kFirstSecond && to.instant.seconds <= kLastSecond;
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
  // Whatever the instant is, what is looked up is there.
  const auto year = static_cast<unsigned>(static_cast<int>(date.year())) % 10'000;
  const auto month = static_cast<unsigned>(date.month()) % 100, day = static_cast<unsigned>(date.day()) % 100;
  char text[sizeof "2020-06-20T19:19:52.123456789Z"];
  std::memcpy(text, kPairs.data() + 2 * (year / 100), 2);
  char* end = put_pair(text + 2, year % 100, '-');
  end = put_pair(end, month, '-');
  end = put_pair(end, day, 'T');
  end = put_pair(end, of_day / 3600, ':');
  end = put_pair(end, of_day / 60 % 60, ':');
  end = put_pair(end, of_day % 60, '.');
  if (at.nanos != 0) {
    end = put_three(end, at.nanos / 1'000'000);
    if (at.nanos % 1'000'000 != 0) end = put_three(end, at.nanos / 1'000 % 1'000);
    if (at.nanos % 1'000 != 0) end = put_three(end, at.nanos % 1'000);
    ++end;
  }
  end[-1] = 'Z';
  out.append(text, static_cast<std::size_t>(end - text));
}

}  // namespace sessionlogd
