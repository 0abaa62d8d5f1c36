// How many names are being looked up. libcurl's resolver takes a thread for each, and while no name server answers it
// goes on when the request that asked has long ended: there would be as many threads as names are asked for. Knows
// nothing of curl.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "core/clock.h"

namespace sessionlogd {

class NameLookups {
 public:
  // Of one shard. A fleet that is asked for at once has this many under way only while its name server is slow.
  static constexpr std::size_t kMost = 128;
  // By then a resolver has given up: 5 s for each of three servers, twice, and for a search domain as well.
  static constexpr std::chrono::seconds kLongest{60};

  // One begins. False: there are too many, it must not.
  bool begin(SteadyTime now) {
    while (!left_.empty() && now - left_.front() >= kLongest) left_.pop_front();
    if (waited_for_ + left_.size() >= kMost) return false;
    ++waited_for_;
    return true;
  }

  // One has ended, whatever came of it.
  void ended() { --waited_for_; }

  // Nobody waits for one of them any more, but its thread.
  void left(SteadyTime now) {
    --waited_for_;
    left_.push_back(now);
  }

 private:
  std::size_t waited_for_ = 0;
  std::deque<SteadyTime> left_;  // when, the oldest first
};

}  // namespace sessionlogd
