// What goes wrong between an appliance and its clients, by probability. Named faults with a script of their own (clock
// offsets, refused versions, shifting pages, vanishing sessions, wrong sessions) have their place beside these.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "bench/fleet/random.h"

namespace fleet {

enum class Fault : std::uint8_t {
  none,
  too_many,     // 429, Retry-After in seconds
  unavailable,  // 503, Retry-After as a date
  error,        // 500
  reset,        // the connection is reset in the middle of the body
  truncate,     // the connection ends before the promised length
  slow,         // the whole body, dribbled over a second
  expire,       // every token of the appliance expires now
  html,         // 200 with a page for people
  cut,          // JSON cut in the middle under a length that fits
  empty,        // 200 without a body
  hang,         // no answer for some seconds, then the connection ends
};
inline constexpr std::size_t kFaultKinds = 12;

std::string_view fault_name(Fault fault);

class FaultMix {
 public:
  // "truncate=0.01"; throws std::invalid_argument for unknown names and what is no probability.
  void set(std::string_view name_and_probability);
  void set(Fault fault, double probability) { share_[static_cast<std::size_t>(fault)] = probability; }
  // Every kind, about one request in fifteen.
  static FaultMix of_everything();

  Fault draw(Random& random) const;
  bool any() const;

 private:
  std::array<double, kFaultKinds> share_{};
};

}  // namespace fleet
