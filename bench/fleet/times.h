// Times as the appliances write them. One number inside, nanoseconds since the Unix epoch, and each product's spelling
// outside.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace fleet {

using Nanos = std::int64_t;  // since the Unix epoch, or a span

inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;
inline constexpr Nanos kHour = 3600 * kSecond;
inline constexpr Nanos kNever = std::numeric_limits<Nanos>::max();
inline constexpr Nanos kLongAgo = std::numeric_limits<Nanos>::min();

struct Span {
  Nanos from = 0;
  Nanos to = 0;

  bool holds(Nanos at) const { return from <= at && at < to; }
};

Nanos now();

// "2020-06-20T19:19:52.3988": no zone, up to six digits, or seven when there are tenths of a microsecond, trailing
// zeros trimmed, no fraction when it is zero.
std::string aws_time(Nanos at);
// "2020-02-05T10:43:57.039827Z": six digits, or seven when there are tenths of a microsecond.
std::string azure_time(Nanos at);
// "[d.]hh:mm:ss[.fffffff]", as .NET prints a TimeSpan.
std::string time_span(Nanos span);
// "Sat, 20 Jun 2020 19:19:52 GMT".
std::string http_date(Nanos at);

// The same in the two forms that clients must still read: "Saturday, 20-Jun-20 19:19:52 GMT" and
// "Sat Jun 20 19:19:52 2020".
std::string http_date_rfc850(Nanos at);
std::string http_date_asctime(Nanos at);

// "2020-06-20T19:19:52[.1..9 digits][Z]"; a time without a zone is UTC. Nothing else is accepted.
std::optional<Nanos> parse_time(std::string_view text);

}  // namespace fleet
