// How an appliance as a whole differs from a good one: its clock, its bad times, its limits. A function of the plan.
// How it tells its times is in telling.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "bench/fleet/plan.h"
#include "bench/fleet/times.h"

namespace fleet {

// What a listing's total says instead of the number of rows, always.
enum class TotalLie : std::uint8_t { none, of_page, zero, too_high };

// Times are those of the appliance's own clock.
struct Nature {
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  Nanos clock_offset = 0;
  Span refuses_versions;
  Span is_down;
  Span has_server_errors;
  bool is_dead = false;  // accepts and never responds, refuses connections, or does not even take connections
  bool refuses_refresh = false;
  bool has_one_session = false;           // a login ends the tokens of those before it
  Nanos tokens_void_every = 0;            // 0: never
  Nanos tokens_expire_every = 0;          // likewise; they can be refreshed
  std::size_t greatest_limit = kNoLimit;  // more is answered with 400
  std::size_t most_rows = kNoLimit;       // whatever was asked for
  Span says_no_log;                       // JSON that is nothing of what was asked for, with status 200
  Span is_blind;                          // its listings are empty
  Span shuffles;                          // each response has the rows in another order
  Span ignores_offset;                    // every page is the first one, with a total of null
  TotalLie total_lie = TotalLie::none;
  bool has_short_retention = false;  // as the client is told
};

Nature nature_of(const Plan& plan, std::size_t appliance);

// The plan as this appliance's clock sees it. The model of one appliance knows no other clock.
Plan plan_of_appliance(const Plan& plan, std::size_t appliance);

// A point in time by another clock; `kNever` stays what it is.
inline Nanos shifted(Nanos at, Nanos offset) { return at == kNever ? at : at + offset; }

}  // namespace fleet
