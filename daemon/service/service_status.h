// The line that `systemctl status` shows: what the daemon does, in figures.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace sessionlogd {

struct ServiceFigures {
  std::size_t sources = 0, failing = 0;
  std::uint64_t sessions = 0;  // found since the start
  std::uint64_t events = 0;    // committed
  std::uint64_t commits = 0;
  std::size_t queue_bytes = 0;  // read and not committed
  bool sink_waits = false;      // it takes nothing for now
  std::string_view sink = "";   // its name
};

// Turns what was counted into a rate: over the last few seconds, so that it can be read.
class ServiceStatus {
 public:
  // Lag is how long something has been waiting while nothing was committed.
  std::string line(const ServiceFigures& figures, SteadyTime now);

 private:
  static constexpr std::chrono::seconds kRateOver{5};

  SteadyTime counted_at_{}, caught_up_at_{};
  std::uint64_t counted_ = 0, commits_ = 0;
  double per_second_ = 0;
};

}  // namespace sessionlogd
