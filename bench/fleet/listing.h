// Which sessions a listing request asks for: windows, filters, order, page.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/plan.h"
#include "bench/fleet/session.h"

namespace fleet {

struct Listing {
  Nanos from = kLongAgo;
  Nanos to = kNever;
  std::vector<std::string> statuses;  // none: all
  std::vector<std::string> types;
  bool newest_first = false;
  std::size_t offset = 0;
  std::size_t limit = 0;

  // Of a session that exists.
  bool shows(const Session& session, Nanos at, Nanos freeze) const;
};

// Empty: a parameter does not hold what it should, to which the products respond with 400.
std::optional<Listing> read_listing(Dialect dialect, std::string_view query);

}  // namespace fleet
