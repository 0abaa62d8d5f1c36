// How a source is treated beyond what its settings say.
#pragma once

#include <chrono>

#include "core/api/admission.h"
#include "core/api/circuit_breaker.h"
#include "core/api/login_limit.h"

namespace sessionlogd {

class Accounts;

struct Manners {
  HeldBack held_back = HeldBack::kWaits;
  std::chrono::milliseconds between_logins = LoginLimit::kLeast;
  std::chrono::milliseconds doubt = CircuitBreaker::kDoubt;  // before it counts as failing whatever it is asked
  Accounts* accounts = nullptr;                              // what others know of the account; nullptr: nothing
  MustWait must_wait = {};                                   // {}: never
};

}  // namespace sessionlogd
