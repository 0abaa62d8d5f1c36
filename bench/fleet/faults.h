// What goes wrong with a simulated fleet: one table of names, each with the place where it strikes and how often.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "bench/fleet/random.h"

namespace fleet {

enum class Fault : std::uint8_t {
  none,
  // Responses: drawn for every request.
  too_many,
  unavailable,
  error,
  reset,
  truncate,
  slow,
  expire,
  html,
  cut,
  empty,
  hang,
  wrong_length,
  bomb,
  uninvited,
  huge,
  other_session,
  redirect,
  headers,
  http09,
  loris,
  garbage,
  retry_huge,
  retry_negative,
  retry_date,
  echo,
  // Entries: drawn for every entry of a script.
  utf8,
  nested,
  bigint,
  ticks_without_start,
  large_entry,
  // Sources: drawn for every appliance.
  clock,
  version,
  down,
  login_limit,
  page_limit,
  server_errors,
  early_expiry,
  second_client,
  dead,
  clock_steps,
  local_times,
  seven_digits,
  no_log,
  blind,
  shuffled_listings,
  total_lies,
  short_retention,
  one_session,
  // Listings: drawn for every page.
  shift_insert,
  shift_delete,
  total_null,
  total_wrong,
  // Lives: drawn for every session.
  vanish_session,
  reuse_id,
  reopen,
  never_ending,
  late_session,
  given_away,
  reopened_oddly,
  corrected_start,
  cleared_log,
  paged_log,
  short_entries,
  unannounced_entry,
  long_entry,
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(Fault::long_entry) + 1;

// What a probability is a share of.
enum class Scope : std::uint8_t { response, entry, source, listing, session };

// Which option brings a fault: --faults and --all-faults, only the latter, or neither.
enum class Part : std::uint8_t { of_faults, of_all_faults, of_none };

struct Misbehaviour {
  Fault fault;
  std::string_view name;
  Scope scope;
  Part part;
  double probability;  // unless another is given
  std::string_view description;
};

// In the order of the enumeration, without `none`.
std::span<const Misbehaviour> misbehaviours();
const Misbehaviour& misbehaviour(Fault fault);
std::string_view scope_name(Scope scope);

class FaultMix {
 public:
  // "truncate=0.01", or "truncate" for its usual probability; throws std::invalid_argument for unknown names and what
  // is no probability.
  void set(std::string_view text);
  void set(Fault fault, double probability) { share_[static_cast<std::size_t>(fault)] = probability; }
  double share(Fault fault) const { return share_[static_cast<std::size_t>(fault)]; }
  // What responses suffer, about one request in fifteen.
  static FaultMix of_responses();
  // All but what would keep a client from ever coming to an end.
  static FaultMix of_everything();

  // The fault of one response.
  Fault draw(Random& random) const;
  // Whether it strikes the thing that has this seed, always the same. Each fault decides for itself.
  bool strikes(Fault fault, std::uint64_t seed) const;

 private:
  std::array<double, kFaultKinds> share_{};
};

}  // namespace fleet
