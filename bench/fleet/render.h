// The responses of both products as JSON text. Shapes and field names: config/dialects/README.md, "What the products
// do", and the specifications in tests/data/specs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/plan.h"
#include "bench/fleet/script.h"
#include "bench/fleet/session.h"

namespace fleet {

// The log of a session at a moment, plainly spelled, in the appliance's own order.
std::string render_log(const Plan& plan, const Session& session, std::span<const Entry> script, Nanos moment,
                       Nanos freeze);
// The same content with entries and fields in another order and strings in other spellings.
std::string render_log_reshuffled(const Plan& plan, const Session& session, std::span<const Entry> script, Nanos moment,
                                  Nanos freeze, std::uint64_t seed);

struct Page {
  std::size_t offset = 0;
  std::size_t limit = 0;
  std::optional<std::size_t> total;  // Azure may keep it to itself
};
// What one session looks like in a listing, and alone. `index` is its number on the appliance.
std::string render_session(const Session& session, std::size_t index, std::string_view base, Nanos at, Nanos freeze);
// `rows` are rendered sessions, joined by commas; `base` is the collection's address.
std::string render_page(Dialect dialect, std::string_view rows, const Page& page, std::string_view base);

// An application/problem+json body as the product writes it.
std::string render_problem(Dialect dialect, int status, std::string_view title, std::string_view code,
                           std::string_view detail);

}  // namespace fleet
