#include "tests/support/simulated_time.h"

#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace sessionlogd {
namespace {

// Not zero, which stands for never; the day begins at midnight.
constexpr std::chrono::hours kBegin{1'000};
constexpr std::chrono::minutes kNothingDue{5};     // as Asio has it
constexpr std::int64_t kMidnight = 1'795'305'600;  // 2026-11-22T00:00:00Z

std::chrono::nanoseconds passed{0};
std::chrono::seconds our_clock_ahead{0};
// When the first of Asio's timers is due, or earlier.
std::chrono::nanoseconds first_due{0};

void note_first_due(const itimerspec& from_now) {
  first_due =
      passed + std::chrono::seconds(from_now.it_value.tv_sec) + std::chrono::nanoseconds(from_now.it_value.tv_nsec);
}

}  // namespace

SteadyTime SteadyClock::now() noexcept { return SteadyTime(kBegin + passed); }

Instant system_now() {
  const Instant now = test::true_now();
  return {now.seconds + our_clock_ahead.count(), now.nanos};
}

namespace test {

Instant true_now() {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(passed);
  return {kMidnight + seconds.count(), static_cast<std::uint32_t>((passed - seconds).count())};
}

void step_our_clock(std::chrono::seconds ahead) { our_clock_ahead = ahead; }

void SimulatedTime::run(std::chrono::milliseconds span) {
  look_at_timers();
  for (const auto end = passed + span; passed < end;) {
    // Ticks in which nothing is due are not looked at one by one.
    const std::chrono::nanoseconds tick = tick_;
    const auto idle = std::min(first_due, end - tick) - passed;
    passed += tick * std::max<std::int64_t>(1, (idle + tick - std::chrono::nanoseconds{1}) / tick);
    look_at_timers();
  }
}

// Asio looks at its timers each time that it asks the kernel what happened (below), and says then when the first is
// due.
void SimulatedTime::look_at_timers() {
  first_due = passed + kNothingDue;
  io_.restart();
  io_.poll();
}

}  // namespace test
}  // namespace sessionlogd

// The kernel knows nothing of this time: to Asio its timer is always due, so that it looks at its own.
extern "C" int timerfd_create(int clock, int flags) noexcept {
  const int fd = static_cast<int>(::syscall(SYS_timerfd_create, clock, flags));
  const itimerspec at_once{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = 1}};
  if (fd >= 0) ::syscall(SYS_timerfd_settime, fd, 0, &at_once, nullptr);
  return fd;
}

// Asio tells here how long it is until its first timer. So it is known without a look at each of them.
extern "C" int timerfd_settime(int, int flags, const itimerspec* to, itimerspec*) noexcept {
  if (flags == 0) sessionlogd::note_first_due(*to);
  return 0;
}
