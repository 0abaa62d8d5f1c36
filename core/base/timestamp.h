// Points in time and time spans as appliances write them, and as we do.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sessionlogd {

// A point in time with nanoseconds, years 0000 to 9999: a 64-bit count of nanoseconds would end in 1677 and lose .NET's
// 0001-01-01.
struct Instant {
  std::int64_t seconds = 0;  // since 1970-01-01T00:00:00Z
  std::uint32_t nanos = 0;   // 0 .. 999,999,999

  friend auto operator<=>(const Instant&, const Instant&) = default;
};

// Our clock, to the microsecond.
Instant system_now();

// a - b, nullopt when it does not fit into 64 bits (292 years).
std::optional<std::int64_t> nanoseconds_between(Instant a, Instant b);

// nullopt when the sum leaves the years 0000 to 9999.
std::optional<Instant> add_nanoseconds(Instant at, std::int64_t nanos);
// So much earlier; `at` itself where no time is so early.
Instant back(Instant at, std::chrono::nanoseconds span);

struct ReadTime {
  Instant instant;     // without a zone: as if it were UTC
  bool zoned = false;  // had Z or an offset
};

// RFC 3339 with 0 to 9 fraction digits and Z, an offset or nothing: "2020-06-20T19:12:00.514619", "...+02:00". A leap
// second is the second after it. Anything else is nullopt.
std::optional<ReadTime> parse_rfc3339(std::string_view text);
// The same, put where it is to be; false: of `to` nothing counts.
bool read_rfc3339(std::string_view text, ReadTime& to);

// A .NET time span "[-][d.]hh:mm:ss[.fffffff]" in nanoseconds; up to 9 fraction digits. nullopt when it is none or does
// not fit.
std::optional<std::int64_t> parse_time_span(std::string_view text);

// "2020-06-20T19:19:52.398800Z": as many fraction digits as there are, in groups of three, none when zero.
void append_rfc3339(std::string& out, Instant at);

}  // namespace sessionlogd
