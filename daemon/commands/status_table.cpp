#include "daemon/commands/status_table.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "core/base/printable.h"
#include "daemon/admin/words.h"

namespace sessionlogd {
namespace {

using simdjson::dom::element;

constexpr std::string_view kRed = "31", kYellow = "33", kGreen = "32", kBold = "1";

std::string painted(std::string text, std::string_view code, Colour colour) {
  return colour == Colour::kNone ? text : fmt::format("\033[{}m{}\033[0m", code, text);
}

std::string text_at(element of, std::string_view name) {
  std::string_view text;
  return of[name].get_string().get(text) == simdjson::SUCCESS ? printable(text) : std::string();
}

double number_at(element of, std::string_view name) {
  double number = 0;
  return of[name].get_double().get(number) == simdjson::SUCCESS ? number : 0;
}

std::string span_of(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{:.0f} h", seconds / 3600);
  return fmt::format("{:.0f} d", seconds / 86400);
}

std::string size_of(double bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string ago(const std::string& time, Instant now) {
  const auto at = parse_rfc3339(time);
  return at ? span_of(std::max(0.0, static_cast<double>(now.seconds - at->instant.seconds))) + " ago" : "never";
}

// The worst first.
std::size_t rank_of(std::string_view state) {
  constexpr std::array<std::string_view, 5> kOrder{"parked", "open_breaker", "backing_off", "starting", "ok"};
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), state) - kOrder.begin());
}

bool is_down(std::string_view state) { return state != "ok" && state != "starting"; }

struct Row {
  std::string name, state;
  element source;
};

std::vector<Row> rows_of(element status) {
  std::vector<Row> rows;
  simdjson::dom::array sources;
  if (status["sources"].get_array().get(sources) != simdjson::SUCCESS) return rows;
  for (const element source : sources) rows.push_back({text_at(source, "name"), text_at(source, "state"), source});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(rank_of(a.state), a.name) < std::pair(rank_of(b.state), b.name);
  });
  return rows;
}

std::string head_of(element process, element sink, const std::vector<Row>& rows, Instant now, Colour colour) {
  std::string text = fmt::format("{}  up {}, {:.0f} shards, {} resident, configuration {} of {}\n",
                                 painted("sessionlogd " + text_at(process, "version"), kBold, colour),
                                 span_of(number_at(process, "uptime_seconds")), number_at(process, "shards"),
                                 size_of(number_at(process, "memory_bytes")), text_at(process, "config"),
                                 text_at(process, "config_loaded"));
  const bool waits = text_at(sink, "state") != "ok";
  text += fmt::format("sink {}  {}  last commit {}, {} not committed, {:.0f} events\n", text_at(sink, "name"),
                      painted(text_at(sink, "state"), waits ? kRed : kGreen, colour),
                      ago(text_at(sink, "last_commit"), now), size_of(number_at(sink, "queue_bytes")),
                      number_at(sink, "events"));
  if (waits) text += painted("  " + text_at(sink, "error"), kRed, colour) + "\n";
  std::map<std::string, std::size_t> by_state;
  for (const Row& row : rows) ++by_state[row.state];
  text += fmt::format("{} sources:", rows.size());
  for (const auto& [state, count] : by_state) text += fmt::format(" {} {}", count, state);
  return text + "\n";
}

// A line on the group, if there is one, and one for each partition that is not polled as it should be.
bool add_group(element status, std::string& text, Colour colour) {
  element group;
  simdjson::dom::array partitions, members;
  if (status["group"].get(group) != simdjson::SUCCESS || group["partitions"].get(partitions) != simdjson::SUCCESS ||
      group["members"].get(members) != simdjson::SUCCESS)
    return true;
  std::string hosts;
  for (const element member : members) {
    simdjson::dom::array of_member;
    const std::size_t count = member["partitions"].get(of_member) == simdjson::SUCCESS ? of_member.size() : 0;
    hosts += fmt::format("{}{} {}", hosts.empty() ? "" : ", ", text_at(member, "host"), count);
  }
  std::size_t own = 0;
  std::string wrong;
  for (const element partition : partitions) {
    const std::string state = text_at(partition, "state"), error = text_at(partition, "error");
    own += state == "owned" ? 1 : 0;
    if (state != "unowned" && state != "refused" && state != "waiting" && state != "in_doubt") continue;
    wrong +=
        painted(fmt::format("PARTITION {:.0f} {}: {:.0f} sources are not polled{}{}", number_at(partition, "partition"),
                            state, number_at(partition, "sources"), error.empty() ? "" : ": ", error),
                kRed, colour) +
        "\n";
  }
  text += fmt::format("group {}  {} of {} partitions here; partitions by host: {}\n{}", text_at(group, "name"), own,
                      partitions.size(), hosts.empty() ? "not known" : hosts, wrong);
  return wrong.empty();
}

// "" when the daemon runs by what its file says.
std::string restart_line(element process, Colour colour) {
  simdjson::dom::array waiting;
  if (process["waits_for_restart"].get_array().get(waiting) != simdjson::SUCCESS) return {};
  std::string keys;
  for (const element key : waiting) keys += (keys.empty() ? "" : ", ") + printable(key.get_string().value());
  if (keys.empty()) return {};
  return painted(fmt::format("RESTART NEEDED: the file says something else for {}, which only a restart of the daemon "
                             "puts in force",
                             keys),
                 kYellow, colour) +
         "\n";
}

// How long 95 of 100 of its last responses took at most.
std::string response_of(element source) {
  element times;
  double p95 = 0;
  const bool known = source["response_seconds"].get(times) == simdjson::SUCCESS &&
                     times["p95"].get_double().get(p95) == simdjson::SUCCESS;
  return !known ? "" : p95 < 1 ? fmt::format("{:.0f} ms", p95 * 1'000) : span_of(p95);
}

std::string what_is_wrong(element source) {
  std::string text = text_at(source, "error");
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  const std::string until = text_at(source, "waiting_until"), pace = text_at(source, "pace");
  if (!until.empty()) add(fmt::format("not asked before {} ({})", until, text_at(source, "waiting_for")));
  if (!pace.empty()) add(pace);
  return text;
}

// "780/812, 3 late": sessions read again of those of the last day.
std::string verified_of(element source) {
  element verified;
  if (source["verified"].get(verified) != simdjson::SUCCESS) return {};
  const double late = number_at(verified, "late");
  std::string text = text_at(verified, "at").empty()
                         ? "not yet"
                         : fmt::format("{:.0f}/{:.0f}", number_at(verified, "sessions"), number_at(verified, "of"));
  if (late > 0) text += fmt::format(", {:.0f} late", late);
  return text;
}

std::string line_of(const Row& row, Instant now, std::size_t name_width, Colour colour) {
  const element& source = row.source;
  const std::string state = fmt::format("{:<12}", row.state);
  const std::string_view code = is_down(row.state) ? kRed : row.state == "ok" ? kGreen : kYellow;
  element sessions;
  double open = 0, done = 0;
  if (source["sessions"].get(sessions) == simdjson::SUCCESS) {
    open = number_at(sessions, "waiting") + number_at(sessions, "open") + number_at(sessions, "settling");
    done = number_at(sessions, "done");
  }
  return fmt::format("{:<{}}  {}  {:>8}  {:>8}  {:>12}  {:>9}  {:>8.0f}  {:>7.0f}  {:>8.0f}  {:>10.0f}  {:>16}  {}\n",
                     row.name, name_width, painted(state, code, colour), span_of(number_at(source, "lag_seconds")),
                     span_of(number_at(source, "lateness_seconds")), ago(text_at(source, "last_poll"), now),
                     response_of(source), open, number_at(source, "sessions_failing"), done,
                     number_at(source, "events"), verified_of(source), what_is_wrong(source));
}

}  // namespace

Result<StatusTable> status_table(std::string_view status_json, Instant now, Colour colour) {
  simdjson::dom::parser parser;
  element status, process, sink;
  if (parser.parse(simdjson::padded_string(status_json)).get(status) != simdjson::SUCCESS ||
      status["process"].get(process) != simdjson::SUCCESS || status["sink"].get(sink) != simdjson::SUCCESS) {
    return Error(ErrorKind::kBadResponse, "what responds there is no sessionlogd, or one of another version");
  }
  const std::vector<Row> rows = rows_of(status);
  StatusTable table;
  table.well = std::none_of(rows.begin(), rows.end(), [](const Row& row) { return is_down(row.state); });
  table.text = head_of(process, sink, rows, now, colour);
  table.well = add_group(status, table.text, colour) && table.well;
  simdjson::dom::array reasons;
  if (process["not_ready"].get_array().get(reasons) == simdjson::SUCCESS) {
    for (const element reason : reasons) {
      table.well = false;
      table.text += painted("NOT READY: " + printable(reason.get_string().value()), kRed, colour) + "\n";
    }
  }
  table.text += restart_line(process, colour);
  std::size_t width = 6;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  table.text += fmt::format("\n{:<{}}  {:<12}  {:>8}  {:>8}  {:>12}  {:>9}  {:>8}  {:>7}  {:>8}  {:>10}  {:>16}  {}\n",
                            "SOURCE", width, "STATE", "LAG", "LATE", "LAST POLL", "RESPONSE", "SESSIONS", "FAILING",
                            "DONE", "EVENTS", "VERIFIED", "WHAT IS WRONG");
  for (const Row& row : rows) table.text += line_of(row, now, width, colour);
  return table;
}

std::string first_lines(const std::string& text, std::size_t lines) {
  std::size_t end = 0;
  for (std::size_t i = 0; i + 1 < lines && end != text.npos; ++i) end = text.find('\n', end) + 1;
  const auto left = std::count(text.begin() + static_cast<std::ptrdiff_t>(end), text.end(), '\n');
  if (left <= 1) return text;
  return text.substr(0, end) + fmt::format("... and {} more lines\n", left);
}

}  // namespace sessionlogd
