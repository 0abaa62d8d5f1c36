// What one appliance had served when it was asked; small, since moments stand for their contents.
#pragma once

#include <cstddef>
#include <vector>

#include "bench/fleet/account.h"
#include "bench/fleet/times.h"
#include "bench/fleet/visits.h"

namespace fleet {

// A moment of a session that was served. `owed`: at least once completely and correctly; otherwise only in a broken
// response, so the client may have taken entries from it and need not.
struct Served {
  Nanos moment;
  bool owed;
};

struct SessionRecord {
  std::vector<Served> served;
  bool gone = false;    // the appliance has deleted it
  bool unread = false;  // it is there, and its last state was never served completely
};

struct ApplianceRecord {
  std::size_t index;
  std::vector<SessionRecord> sessions;
  Account account;
  std::vector<Visit> visits = {};
};

}  // namespace fleet
