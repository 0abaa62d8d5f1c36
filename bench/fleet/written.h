// What a line of the output says, by the judge's own reading of the pages that describe the formats: it shares neither
// rule nor code with what wrote the line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bench/fleet/times.h"

namespace fleet {

// Texts that the line does not have are empty.
struct Written {
  std::string source, session;
  std::string id;  // of the entry, 32 hex digits
  std::uint32_t hash = 0;
  std::string change;  // new, changed, error or gap
  std::string message, original, status, resource, extra, log_time, duration;
  std::string start;  // as parse_time() reads it, or the count of nanoseconds
};

// A format, as far as it says what a ledger knows.
struct LineFormat {
  std::string_view name;

  // nullopt: it is no line of this format, or is not whole.
  std::optional<Written> (*read)(std::string_view line);

  Nanos start_unit = 1;        // starts are rounded down to it
  bool has_every_byte = true;  // false: texts are as in_one_line() has them
};

extern const LineFormat kEcsLines, kOcsfLines, kOtlpLines, kCefLines, kRfc5424Lines;
inline constexpr const LineFormat* kLineFormats[] = {&kEcsLines, &kOcsfLines, &kOtlpLines, &kCefLines, &kRfc5424Lines};

// Throws std::invalid_argument: there is none of this name.
const LineFormat& line_format(std::string_view name);

// Whether it is such a number of lower-case hex digits.
bool is_hex(std::string_view text, std::size_t digits);

// Takes the identity of a line, as all formats spell it; false: it is none.
bool take_identity(std::string_view id, std::string_view hash, Written& into);

}  // namespace fleet
