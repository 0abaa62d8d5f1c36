// Durations, sizes and rates as operators write them: a whole number and its unit, without spaces or signs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sessionlogd {

// "250ms" "5s" "10m" "24h" "7d". Throws ValueError.
std::chrono::milliseconds parse_duration(std::string_view text);

// "512B" "64KiB" "8MiB" "1GiB", in bytes. Decimal units (KB, MB, GB) are refused: half the world reads 1024 into them.
// Throws ValueError.
std::uint64_t parse_size(std::string_view text);

// "20/s" "2.5/s" "30/m" "100/h", per second and above zero. Throws ValueError.
double parse_rate(std::string_view text);

// The shortest text that the functions above read back to the same value.
std::string format_duration(std::chrono::milliseconds duration);
std::string format_size(std::uint64_t bytes);
std::string format_rate(double per_second);  // "20/s"

// A text as it stands in a message: in quotes, control characters escaped, long ones cut.
std::string in_quotes(std::string_view text);

}  // namespace sessionlogd
