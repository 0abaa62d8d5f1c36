// What a sink has delivered and what it remembers, read again without disturbing the daemon that writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/state/sink.h"

namespace sessionlogd {

struct ReadBack {
  std::uint64_t events = 0;  // that are ours
  std::string where;         // "3 files of /var/log/events.ndjson"
  std::string gone;          // what may have held events and is not there any more: "older files"; "" = nothing
};

// Throws StateMismatch, WrongSetting, and std::runtime_error when something cannot be read.
class DeliveredReader {
 public:
  virtual ~DeliveredReader() = default;

  // The state as it is committed by now; nothing where there is none.
  virtual void read_state(StateVisitor& into) = 0;

  // Calls `take` for every event that others can read by now; one that was delivered before `since`, by our clock, may
  // be left out. May be called again.
  virtual ReadBack read_events(Instant since, const std::function<void(const Delivered&)>& take) = 0;
};

}  // namespace sessionlogd
