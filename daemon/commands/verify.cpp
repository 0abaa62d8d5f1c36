// Reads the sources' sessions again and compares them with the output: what is there and was not delivered?
#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "config/units.h"
#include "config/value_error.h"
#include "core/base/printable.h"
#include "core/base/result.h"
#include "core/entries/audit.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/verification.h"
#include "daemon/commands/with_settings.h"
#include "daemon/control/control_socket.h"
#include "sinks/make_sink.h"

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostFindings = 20;

std::string result_of(const Verification::Reading& reading, const Audit::Counts& counts) {
  if (!reading.fault.empty()) return "not read: " + printable(reading.fault);
  if (!counts.is_well()) return "not all was delivered";
  if (const std::size_t hidden = reading.hidden.sessions().size(); hidden > 0)
    return fmt::format("does not show {} sessions of the output", hidden);
  if (counts.emptied > 0) return fmt::format("{} logs are empty now", counts.emptied);
  return "ok";
}

void print_hidden(const Verification::Reading& reading) {
  const std::vector<std::string> hidden = reading.hidden.sessions();
  for (std::size_t i = 0; i < std::min(hidden.size(), kMostFindings); ++i)
    fmt::print("not shown: source={} session={}\n", reading.source->name, printable_word(hidden[i]));
}

void print(const Verification& verification) {
  const auto& readings = verification.readings();
  const auto& counts_of = verification.counts();
  std::size_t width = 6;
  for (const Verification::Reading& reading : readings) width = std::max(width, reading.source->name.size());
  fmt::print("{:<{}}  {:>8}  {:>9}  {:>8}  {:>8}  {:>8}  {:>8}  {}\n", "SOURCE", width, "SESSIONS", "ENTRIES",
             "MISSING", "CHANGED", "PENDING", "EXTRA", "RESULT");
  for (std::size_t i = 0; i < readings.size(); ++i) {
    const Audit::Counts& counts = counts_of[i];
    fmt::print("{:<{}}  {:>8}  {:>9}  {:>8}  {:>8}  {:>8}  {:>8}  {}\n", readings[i].source->name, width,
               counts.sessions, counts.entries, counts.missing, counts.changed, counts.pending, counts.extra,
               result_of(readings[i], counts));
  }
  for (const Audit::Finding& finding : verification.findings(kMostFindings)) {
    std::string at = "that cannot be read";
    if (finding.log_time) append_rfc3339(at = {}, *finding.log_time);
    fmt::print("{}: source={} session={} logTime {}{}\n", finding.changed ? "changed since" : "missing",
               readings[finding.source].source->name, printable_word(finding.session), at,
               finding.remembered && !finding.changed ? ", and by the state it was delivered" : "");
  }
  for (const Verification::Reading& reading : readings) print_hidden(reading);
  const ReadBack& compared_with = verification.compared_with();
  fmt::print("Compared with {} events in {}{}.\n", compared_with.events, compared_with.where,
             compared_with.gone.empty()
                 ? ""
                 : fmt::format("; {} were removed: what stood in them counts as missing", compared_with.gone));
}

int verify(const Settings& settings, DeliveredReader& delivered, milliseconds since) {
  Verification verification(settings, delivered, since);
  verification.run();
  // Who polls may be on another host.
  const bool is_in_group = !group_of(settings.sink).empty();
  if (!verification.nothing_is_in_question() && (is_in_group || daemon_listens(settings.daemon.state_dir))) {
    verification.look_again([&](std::chrono::seconds most) {
      fmt::print(stderr, "not everything is there; looking again for {} s at most, for {}\n", most.count(),
                 is_in_group ? "others may be polling" : "the daemon runs");
    });
  }
  print(verification);
  const bool all_read =
      std::ranges::all_of(verification.readings(), [](const auto& reading) { return reading.fault.empty(); });
  return all_read && verification.nothing_is_missing() && verification.nothing_is_hidden() ? kWell : kNotWell;
}

}  // namespace

int verify(const std::string& config_file, const std::string& since) {
  milliseconds span{0};
  try {
    span = parse_duration(since);
  } catch (const ValueError&) {
    fmt::print(stderr, "--since: found \"{}\", expected how far back, such as 24h or 7d\n", since);
    return kWrongUsage;
  }
  return with_settings(config_file, [&](const Settings& settings) {
    const std::unique_ptr<DeliveredReader> delivered = make_delivered_reader(settings);
    if (delivered == nullptr) {
      spdlog::error("sink.path is \"-\": what went to standard output cannot be compared with the sources");
      return kNotWell;
    }
    return verify(settings, *delivered, span);
  });
}

}  // namespace sessionlogd
