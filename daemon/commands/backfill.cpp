#include <fmt/core.h>

#include <chrono>
#include <optional>

#include "config/units.h"
#include "config/value_error.h"
#include "core/base/timestamp.h"
#include "daemon/commands/ask_running_daemon.h"
#include "daemon/commands/commands.h"

namespace sessionlogd {
namespace {

// "2026-11-01", "2026-11-01T12:00:00Z", or how long ago: "7d".
std::optional<Instant> read_time(const std::string& text) {
  if (const auto day = parse_rfc3339(text + "T00:00:00Z")) return day->instant;
  if (const auto time = parse_rfc3339(text)) return time->instant;
  try {
    return add_nanoseconds(system_now(), -std::chrono::nanoseconds(parse_duration(text)).count());
  } catch (const ValueError&) {
    return std::nullopt;
  }
}

}  // namespace

int backfill(const std::string& config_file, const std::string& source, const BackfillOptions& options) {
  const bool is_since = !options.since.empty();
  if (is_since == !options.none_before.empty() || (options.again && !is_since)) {
    fmt::print(stderr, "backfill: expected --since TIME, perhaps with --again, or --none-before TIME\n");
    return kWrongUsage;
  }
  const std::string& given = is_since ? options.since : options.none_before;
  const std::optional<Instant> at = read_time(given);
  if (!at) {
    fmt::print(stderr,
               "{}: found \"{}\", expected a day (2026-11-01), a time (2026-11-01T12:00:00Z) or how long ago (7d)\n",
               is_since ? "--since" : "--none-before", given);
    return kWrongUsage;
  }
  std::string line = fmt::format("{} {} ",
                                 !is_since       ? "none-before"
                                 : options.again ? "backfill-again"
                                                 : "backfill",
                                 source);
  append_rfc3339(line, *at);
  return ask_running_daemon(config_file, line);
}

}  // namespace sessionlogd
