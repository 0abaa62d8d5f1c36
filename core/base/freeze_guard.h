// Notices that this process did not run for a while: stopped by a signal, paused with its machine, stalled. What it
// believes to own may have gone to another meanwhile, and who gave it away needs a moment to tell. So after such a
// pause nothing is asked of anybody for a while.
//
// One thread stamps it again and again, and everybody who is about to act asks it: a stamp that is too old says the
// same as a fresh one that came late. Times are of a clock that goes on while the machine sleeps.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace sessionlogd {

class FreezeGuard {
 public:
  using Time = std::chrono::milliseconds;  // of CLOCK_BOOTTIME

  static constexpr Time kStampEvery{100};
  static constexpr Time kFrozenAfter{3'000};
  static constexpr Time kQuietFor{2'000};  // after the first stamp behind a pause

  explicit FreezeGuard(Time now) : stamped_(now.count()) {}

  // By one thread. true: a pause has ended here.
  bool stamp(Time now);

  // Any thread.
  bool is_quiet(Time now) const;

  static Time now();

 private:
  std::atomic<std::int64_t> stamped_;
  std::atomic<std::int64_t> quiet_until_ = 0;
};

}  // namespace sessionlogd
