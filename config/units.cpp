#include "config/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "config/value_error.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kDurationExpected = R"(a duration like "250ms", "5s", "10m", "24h" or "7d")";
constexpr std::string_view kSizeExpected = R"(a size like "512B", "64KiB", "8MiB" or "1GiB")";
constexpr std::string_view kRateExpected = R"(a rate above zero like "20/s", "2.5/s", "30/m" or "100/h")";

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Largest first: formatting takes the first that divides.
constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                                    Unit{"ms", 1}};
constexpr std::array kSizeUnits{Unit{"GiB", 1u << 30}, Unit{"MiB", 1u << 20}, Unit{"KiB", 1u << 10}, Unit{"B", 1}};

// Number times unit; nothing when it is neither or does not fit.
template <class Units>
std::optional<std::uint64_t> parse_whole(std::string_view text, const Units& units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit_name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (unit.name != unit_name) continue;
    const std::uint64_t most = std::numeric_limits<std::int64_t>::max() / unit.factor;
    return number <= most ? std::optional(number * unit.factor) : std::nullopt;
  }
  return std::nullopt;
}

template <class Units>
std::string format_whole(std::uint64_t number, const Units& units) {
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) return std::to_string(number / unit.factor) + std::string(unit.name);
  }
  return "0" + std::string(units.back().name);
}

bool ends_in_decimal_unit(std::string_view text) {
  for (const std::string_view unit : {"KB", "kB", "MB", "GB", "K", "M", "G"}) {
    if (text.ends_with(unit)) return true;
  }
  return false;
}

}  // namespace

std::chrono::milliseconds parse_duration(std::string_view text) {
  const std::optional<std::uint64_t> count = parse_whole(text, kDurationUnits);
  if (!count) throw ValueError(in_quotes(text), kDurationExpected);
  return std::chrono::milliseconds(static_cast<std::int64_t>(*count));
}

std::uint64_t parse_size(std::string_view text) {
  const std::optional<std::uint64_t> count = parse_whole(text, kSizeUnits);
  if (count) return *count;
  if (ends_in_decimal_unit(text)) {
    throw ValueError(in_quotes(text),
                     std::string(kSizeExpected) + ": KB, MB and GB mean 1000 to some and 1024 to others");
  }
  throw ValueError(in_quotes(text), kSizeExpected);
}

double parse_rate(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const std::string_view per = text.substr(static_cast<std::size_t>(end - text.data()));
  const double seconds = per == "/s" ? 1 : per == "/m" ? 60 : per == "/h" ? 3600 : 0;
  if (error != std::errc{} || seconds == 0 || !std::isfinite(number) || number / seconds <= 0) {
    throw ValueError(in_quotes(text), kRateExpected);
  }
  return number / seconds;
}

std::string format_duration(std::chrono::milliseconds duration) {
  return format_whole(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

std::string format_size(std::uint64_t bytes) { return format_whole(bytes, kSizeUnits); }

std::string format_rate(double per_second) {
  std::array<char, 512> text{};  // 1e-300 has so many digits when none is left out
  const auto written = std::to_chars(text.data(), text.data() + text.size(), per_second, std::chars_format::fixed);
  return std::string(text.data(), written.ptr) + "/s";
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool between_characters = (byte & 0xC0) != 0x80;
    if (i >= kShown && between_characters) return out + "...\"";
    if (byte == '"' || byte == '\\') {
      out += {'\\', text[i]};
    } else if (byte < 0x20 || byte == 0x7F) {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += text[i];
    }
  }
  return out + '"';
}

}  // namespace sessionlogd
