// What a source waits for before it is asked again.
#pragma once

#include <cstdint>

#include "core/base/clock.h"

namespace sessionlogd {

// Why a source is not asked anything for a while; the longest of them counts.
enum class WaitingFor : std::uint8_t {
  kRetryAfter,  // it asked to be left alone (429, 503)
  kLogin,       // the next login is not allowed yet
  kRate,        // `rate`
  kParked,      // its credential was refused; another one would be tried at once
  kBreaker,     // the next probe of a source that fails whatever it is asked
};

// The past: for nothing.
struct Wait {
  SteadyTime until = SteadyTime::min();
  WaitingFor what = WaitingFor::kRate;
};

}  // namespace sessionlogd
