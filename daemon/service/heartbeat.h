// Which of the daemon's loops still turn. Each is asked a question; one that has had it for longer than its patience
// without an answer is silent. Knows nothing of threads, timers or systemd, so tests call it directly.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace sessionlogd {

class Heartbeat {
 public:
  using Loop = std::size_t;

  // `name` is for people: "shard 2". Not while another thread uses this.
  Loop add(std::string name, std::chrono::milliseconds patience);

  // Any thread. True: the loop has a question from now on and must be sent it; false: it still has an earlier one.
  bool ask(Loop loop, SteadyTime now);

  // Any thread: it has answered.
  void answered(Loop loop);

  struct Silent {
    std::string_view name;  // lives as long as this
    std::chrono::milliseconds since;
  };
  // Any thread.
  std::vector<Silent> silent(SteadyTime now) const;

 private:
  static constexpr std::int64_t kNothingAsked = INT64_MIN;

  struct Watched {
    std::string name;
    std::chrono::milliseconds patience;
    std::atomic<std::int64_t> asked_ns = kNothingAsked;  // when its open question was asked
  };

  std::deque<Watched> loops_;
};

}  // namespace sessionlogd
