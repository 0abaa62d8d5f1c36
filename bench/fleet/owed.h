// A ledger in memory, keyed by what an event says of itself. Shares no code with the daemon: identity and change are
// written down here a second time, from design.md, section 4.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench/fleet/plan.h"
#include "bench/fleet/times.h"

namespace fleet {

// The state of an entry as the rule compares it: the status word, and the rest only once the status is final.
std::string comparable_state(Dialect dialect, std::string_view status, std::string_view log_time,
                             std::string_view start, std::string_view duration);
// AWS: the time is executionStartTime, else logTime. Azure: logTime, and the resource.
std::string comparable_identity(Nanos time, std::string_view message, std::string_view resource);

struct OwedState {
  std::string state;
  bool owed;
};

// Entries of one session with equal identity: nearly always one, else twins.
struct Group {
  std::string shown;                            // for messages to people
  std::vector<std::vector<OwedState>> entries;  // each entry's states in the order they were served
  std::vector<std::string> extras;              // each entry's unknown fields, empty: none
  struct Written {
    std::uint32_t id;  // number of the event.id, see Judge
    std::string state;
    std::string hash;
  };
  std::vector<Written> written;  // in the order of the output
};

// Equal raw texts in several generations of a session are several errors.
struct OwedError {
  std::uint64_t served = 0;
  std::uint64_t owed = 0;
  std::uint64_t written = 0;
};

// All generations of one id: the times of their entries tell them apart (see ledger.h).
struct OwedSession {
  Dialect dialect = Dialect::aws;
  bool broken = false;  // some answers of it were broken: the client may have read parts
  std::uint64_t gaps_allowed = 0;
  std::uint64_t gaps_written = 0;
  std::unordered_map<std::string, Group> groups;
  std::map<std::string, OwedError> errors;  // by raw text
};

class Owed {
 public:
  // Throws std::runtime_error when the file is no ledger.
  static Owed read(const std::string& path);

  OwedSession* find(std::string_view source, std::string_view session);
  std::map<std::string, OwedSession>& sessions() { return sessions_; }
  // What was not read to its end, for people.
  const std::vector<std::string>& unread() const { return unread_; }

 private:
  std::map<std::string, OwedSession> sessions_;  // "source session"
  std::vector<std::string> unread_;
};

}  // namespace fleet
