#include <fmt/core.h>

#include <chrono>
#include <optional>

#include "config/units.h"
#include "config/value_error.h"
#include "core/timestamp.h"
#include "daemon/commands/ask_running_daemon.h"
#include "daemon/commands/commands.h"

namespace sessionlogd {
namespace {

// "2026-11-01", "2026-11-01T12:00:00Z", or how long ago: "7d".
std::optional<Instant> read_since(const std::string& text) {
  if (const auto day = parse_rfc3339(text + "T00:00:00Z")) return day->instant;
  if (const auto time = parse_rfc3339(text)) return time->instant;
  try {
    return add_nanoseconds(system_now(), -std::chrono::nanoseconds(parse_duration(text)).count());
  } catch (const ValueError&) {
    return std::nullopt;
  }
}

}  // namespace

int backfill(const std::string& config_file, const std::string& source, const std::string& since) {
  const std::optional<Instant> from = read_since(since);
  if (!from) {
    fmt::print(
        stderr,
        "--since: found \"{}\", expected a day (2026-11-01), a time (2026-11-01T12:00:00Z) or how long ago (7d)\n",
        since);
    return kWrongUsage;
  }
  std::string line = fmt::format("backfill {} ", source);
  append_rfc3339(line, *from);
  return ask_running_daemon(config_file, line);
}

}  // namespace sessionlogd
