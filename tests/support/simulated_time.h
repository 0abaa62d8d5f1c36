// Time that passes only when it is told to: who links this has SteadyClock::now() and system_now() from here, not from
// core/base/clock.cpp. So a source runs as it is, timers and all, through hours in a second.
//
// One time for the whole process, which never goes back; only our own clock, which is what system_now() says, may step.
// Not thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>

#include "core/base/clock.h"
#include "core/base/timestamp.h"

namespace sessionlogd::test {

// What time it truly is: appliances live by it.
Instant true_now();

// From now on system_now() is so far ahead of the truth. The monotonic clock is not.
void step_our_clock(std::chrono::seconds ahead);

class SimulatedTime {
 public:
  // The time moves by a tick at once: what is due within it happens at its end.
  SimulatedTime(boost::asio::io_context& io, std::chrono::milliseconds tick) : io_(io), tick_(tick) {}

  std::chrono::milliseconds tick() const { return tick_; }
  void set_tick(std::chrono::milliseconds tick) { tick_ = tick; }

  // Lets so much time pass, tick by tick, and what waits for it happen.
  void run(std::chrono::milliseconds span);

 private:
  void look_at_timers();

  boost::asio::io_context& io_;
  std::chrono::milliseconds tick_;
};

}  // namespace sessionlogd::test
