// A line of the daemon's own log about something: whom it concerns is given as arguments, and reaches the journal's
// fields as such; nobody takes it from the text again.
//
//   log_warn({.source = name, .session = id}, "cannot be read: {}", why)
//     ─▶ source=aws-eu session=90fa cannot be read: HTTP 403 ...
//
// Values are written as one word each, whatever is in them; the rest of the line is escaped where it leaves us
// (daemon/log).
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sessionlogd {

// "" = it is not about one.
struct About {
  std::string_view source = {}, session = {}, sink = {};
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

bool is_logged(LogLevel level);
void log_line(LogLevel level, const About& about, std::string_view text);

// While a line is being written, on the thread that writes it: whom it is about. Nobody otherwise.
const About& about_the_line();

template <class... Args>
void log_debug(const About& about, fmt::format_string<Args...> format, Args&&... args) {
  if (is_logged(LogLevel::kDebug)) log_line(LogLevel::kDebug, about, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(const About& about, fmt::format_string<Args...> format, Args&&... args) {
  if (is_logged(LogLevel::kInfo)) log_line(LogLevel::kInfo, about, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(const About& about, fmt::format_string<Args...> format, Args&&... args) {
  if (is_logged(LogLevel::kWarn)) log_line(LogLevel::kWarn, about, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(const About& about, fmt::format_string<Args...> format, Args&&... args) {
  if (is_logged(LogLevel::kError)) log_line(LogLevel::kError, about, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace sessionlogd
