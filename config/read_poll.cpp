#include "config/read_poll.h"

#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kDay = 24h;

std::optional<std::chrono::milliseconds> lookback(const TomlValue& value) {
  if (const auto* all = std::get_if<std::string>(&value.value); all != nullptr && *all == "all") return std::nullopt;
  try {
    return duration_between(1s, 3650 * kDay)(value);
  } catch (const ValueError& error) {
    throw ValueError(std::string(error.what()) + R"(, or "all")");
  }
}

void check_intervals(const TableReader& table, const PollSettings& poll) {
  if (poll.max_interval >= poll.interval) return;
  if (table.has("max_interval")) {
    table.refuse("max_interval", "found " + in_quotes(format_duration(poll.max_interval)) +
                                     ", expected at least the interval, " + in_quotes(format_duration(poll.interval)));
  } else if (table.has("interval")) {
    table.refuse("interval", "found " + in_quotes(format_duration(poll.interval)) +
                                 ", expected at most max_interval, " + in_quotes(format_duration(poll.max_interval)));
  }
}

}  // namespace

void read_poll(TableReader& table, std::size_t memory_bytes, PollDefaults& into) {
  PollSettings& poll = into.poll;
  const bool interval_read = table.read("interval", poll.interval, duration_between(1ms, kDay));
  const bool max_interval_read = table.read("max_interval", poll.max_interval, duration_between(1ms, kDay));
  if (interval_read && max_interval_read) check_intervals(table, poll);
  table.read("discovery_interval", poll.discovery_interval, duration_between(1ms, kDay));
  table.read("sweep_interval", poll.sweep_interval, duration_between(1s, 30 * kDay));
  table.read("settle", poll.settle, duration_between(0ms, 30 * kDay));
  table.read("lookback", poll.lookback, lookback);
  table.read("overlap", poll.overlap, duration_between(0ms, 30 * kDay));
  table.read("max_session_age", poll.max_session_age, duration_between(1s, 365 * kDay));
  table.read("timeout", poll.timeout, duration_between(1ms, 1h));
  if (table.read("max_body", poll.max_body_bytes, size_between(1u << 10, 4ull << 30)) && table.has("max_body") &&
      poll.max_body_bytes > memory_bytes / kLeastMemoryPerBody) {
    table.refuse("max_body", "found " + in_quotes(format_size(poll.max_body_bytes)) +
                                 ", expected at most a quarter of daemon.memory, " +
                                 in_quotes(format_size(memory_bytes / kLeastMemoryPerBody)));
  }
  table.read("connections", poll.connections, integer_between(1, 1000));
  table.read("rate", poll.rate_per_second, rate);
  table.read("changes", poll.changes, word<Changes>({{"emit", Changes::kEmit}, {"final", Changes::kFinal}}));
  table.read("retention", poll.retention, duration_between(1s, 3650 * kDay));
  if (table.has("retention")) into.retention_given = true;
  table.finish();
}

}  // namespace sessionlogd
