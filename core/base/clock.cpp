#include "core/base/clock.h"

#include "core/base/timestamp.h"

namespace sessionlogd {

SteadyTime SteadyClock::now() noexcept { return std::chrono::steady_clock::now(); }

Instant system_now() {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  return {micros / 1'000'000, static_cast<std::uint32_t>(micros % 1'000'000 * 1'000)};
}

}  // namespace sessionlogd
