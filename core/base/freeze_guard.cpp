#include "core/base/freeze_guard.h"

#include <ctime>

namespace sessionlogd {

bool FreezeGuard::stamp(Time now) {
  const bool was_frozen = now - Time(stamped_.load(std::memory_order_relaxed)) > kFrozenAfter;
  // In this order: who sees the fresh stamp sees the quiet, too.
  if (was_frozen) quiet_until_.store((now + kQuietFor).count(), std::memory_order_relaxed);
  stamped_.store(now.count(), std::memory_order_release);
  return was_frozen;
}

bool FreezeGuard::is_quiet(Time now) const {
  if (now - Time(stamped_.load(std::memory_order_acquire)) > kFrozenAfter) return true;
  return now < Time(quiet_until_.load(std::memory_order_relaxed));
}

FreezeGuard::Time FreezeGuard::now() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::duration_cast<Time>(std::chrono::nanoseconds{time.tv_nsec});
}

}  // namespace sessionlogd
