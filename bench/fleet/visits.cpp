#include "bench/fleet/visits.h"

#include <fmt/format.h>

#include <iterator>

namespace fleet {

std::string Visitor::name() const {
  const std::uint32_t address = from >> 24 == 127 ? to : from;
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

std::string_view name_of(Visit::Kind kind) {
  static constexpr std::string_view kNames[] = {"request", "login", "logout"};
  return kNames[kind];
}

std::string visit_lines(std::string_view source, const std::vector<Visit>& visits) {
  std::string lines;
  for (const Visit& visit : visits) {
    fmt::format_to(std::back_inserter(lines),
                   R"({{"at":{},"source":"{}","by":"{}","kind":"{}"}})"
                   "\n",
                   visit.at, source, visit.by.name(), name_of(visit.kind));
  }
  return lines;
}

}  // namespace fleet
