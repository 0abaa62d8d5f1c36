// What HTTP's header fields and addresses mean: dates, Retry-After, percent-encoding, and which bytes may go out in a
// header.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sessionlogd {

// Percent-encodes everything but RFC 3986 unreserved characters: for path segments, query values and form values.
void append_percent_encoded(std::string& out, std::string_view text);

// An HTTP date in any of RFC 9110's three forms (IMF-fixdate, RFC 850, asctime) to Unix seconds. Two-digit years before
// 70 are in this century.
std::optional<std::int64_t> parse_http_date(std::string_view text);

// Retry-After's two forms: seconds, or an HTTP date relative to now_unix. What is past or negative is 0, what is longer
// than kLongestRetryAfter is that.
inline constexpr std::chrono::seconds kLongestRetryAfter = std::chrono::hours(24 * 365);
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now_unix);

// "Name: value" with a token as its name and no control characters: nothing that could end the line and forge another.
bool is_sendable_header(std::string_view line);

// A path and query that goes out as it is: starts with '/', no spaces, control characters or fragment.
bool is_sendable_target(std::string_view target);

// ASCII only, as header names are.
bool equal_ignoring_case(std::string_view left, std::string_view right);
std::string_view trim(std::string_view text);

}  // namespace sessionlogd
