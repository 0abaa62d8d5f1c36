// Entries and sessions that the tests of reading share.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "tests/pipeline/reading.h"

namespace sessionlogd::test {

inline constexpr std::string_view kRunning =
    R"({"status":"Running","logTime":"2026-01-02T03:04:05.5","message":"step","executionStartTime":"2026-01-02T03:04:00","executionDuration":7})";
inline constexpr std::string_view kDone =
    R"({"status":"Warning","logTime":"2026-01-02T03:04:09","message":"step","executionStartTime":"2026-01-02T03:04:00","executionDuration":9})";

inline SessionInfo session(std::string_view id = "s-1") { return {.id = id}; }

inline Reading aws() { return Reading(source_of("veeam-aws", "aws-eu"), session()); }
inline Reading azure() { return Reading(source_of("veeam-azure", "azure-uk"), session()); }

// Done at so many seconds after 2026-01-02T03:00:00.
inline std::string step(int second, std::string_view message) {
  return fmt::format(
      R"({{"status":"Success","logTime":"2026-01-02T03:{:02}:{:02}","message":"{}","executionStartTime":"2026-01-02T03:00:00"}})",
      second / 60, second % 60, message);
}

}  // namespace sessionlogd::test
