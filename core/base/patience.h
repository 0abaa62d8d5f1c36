// How long a call may wait: up to a limit without progress, and much less once the daemon stops.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>

namespace sessionlogd {

class Patience {
 public:
  Patience(const std::stop_token& stop, std::chrono::milliseconds most, std::chrono::milliseconds most_at_stop)
      : stop_(stop), most_(most), until_(Clock::now() + most), most_at_stop_(most_at_stop) {
    (void)over();
  }

  bool over() {
    if (!stopping_ && stop_.stop_requested()) {
      stopping_ = true;
      until_ = std::min(until_, Clock::now() + most_at_stop_);
    }
    return Clock::now() >= until_;
  }

  // Something moves: the limit counts from now on again.
  void renew() {
    if (!over() && !stopping_) until_ = Clock::now() + most_;
  }

  // For one call that cannot be interrupted: what is left, `longest` at most, 1 at least.
  int slice_ms(std::chrono::milliseconds longest) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - Clock::now());
    return static_cast<int>(std::clamp(left, std::chrono::milliseconds{1}, longest).count());
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::stop_token stop_;
  std::chrono::milliseconds most_;
  Clock::time_point until_;
  std::chrono::milliseconds most_at_stop_;
  bool stopping_ = false;
};

}  // namespace sessionlogd
