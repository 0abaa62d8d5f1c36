#include "tests/support/simulated_time.h"

namespace sessionlogd {
namespace {

// Not zero, which stands for never; the day begins at midnight.
constexpr std::chrono::hours kBegin{1'000};
constexpr std::int64_t kMidnight = 1'795'305'600;  // 2026-11-22T00:00:00Z

std::chrono::nanoseconds passed{0};
std::chrono::seconds our_clock_ahead{0};

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
    passed += tick_;
    look_at_timers();
  }
}

// Asio looks at its timers when one more is set before all others, or when the kernel says that the first is due, which
// knows nothing of this time.
void SimulatedTime::look_at_timers() {
  alarm_.expires_at(SteadyTime{});
  alarm_.async_wait([](const boost::system::error_code&) {});
  io_.restart();
  io_.poll();
}

}  // namespace test
}  // namespace sessionlogd
