#include "bench/fleet/verdict.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace fleet {

std::string to_table(const Verdict& v) {
  const std::pair<const char*, std::uint64_t> rows[] = {
      {"sessions served", v.sessions},
      {"entries served", v.entries},
      {"forms served", v.forms},
      {"events written", v.events},
      {"forms skipped", v.skipped},
      {"error events owed", v.errors_owed},
      {"error events written", v.errors_written},
      {"gap events written", v.gaps},
      {"forgiven for a gap", v.forgiven},
      {"sessions not finished", v.unread},
      {"LOST", v.count(Verdict::lost)},
      {"REPEATED", v.count(Verdict::repeated)},
      {"FOREIGN", v.count(Verdict::foreign)},
      {"OUT OF ORDER", v.count(Verdict::disordered)},
      {"UNREADABLE LINES", v.count(Verdict::unreadable)},
      {"UNEXPECTED GAPS", v.count(Verdict::unexpected_gap)},
      {"NOT READ TO THE END", v.count(Verdict::unfinished)},
  };
  std::string table;
  for (const auto& [name, count] : rows) fmt::format_to(std::back_inserter(table), "{:<22}{:>12}\n", name, count);
  static constexpr const char* kNames[] = {
      "lost", "repeated", "foreign", "out of order", "unreadable", "unexpected gap", "not read to the end"};
  for (const auto& [kind, examples] : v.examples) {
    for (const std::string& example : examples)
      fmt::format_to(std::back_inserter(table), "{}: {}\n", kNames[kind], example);
  }
  fmt::format_to(std::back_inserter(table), "{}\n", v.agrees() ? "everything agrees" : "DOES NOT AGREE");
  return table;
}

}  // namespace fleet
