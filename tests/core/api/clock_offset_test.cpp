#include "core/api/clock_offset.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::int64_t kToday = 1'800'000'000;

Instant at(milliseconds since_now) {
  const std::int64_t ms = kToday * 1'000 + since_now.count();
  return {ms / 1'000, static_cast<std::uint32_t>(ms % 1'000) * 1'000'000};
}

TEST(ClockOffset, IsWhatDatesDemandAndNoMore) {
  struct Case {
    std::int64_t date;
    milliseconds sent, received;
    std::chrono::seconds offset;
  };
  const Case cases[] = {
      {0, 0ms, 10ms, 0s},
      {0, 999ms, 1'100ms, 0s},  // the second's end passed meanwhile
      {0, 0ms, 30'000ms, 0s},   // a slow response, written at its beginning
      {30, 0ms, 30'000ms, 0s},  // or at its end
      {60, 0ms, 10ms, 59s},
      {-60, 500ms, 600ms, -59s},  // within a second, on the side of ours
      {3'600, 0ms, 30'000ms, 3'570s},
  };
  for (const Case& c : cases) {
    ClockOffset offset;
    offset.heard(kToday + c.date, at(c.sent), at(c.received));
    EXPECT_EQ(offset.value(), c.offset) << c.date << " " << c.sent.count();
  }
}

TEST(ClockOffset, IsWrongFromFiveSecondsOnEitherSide) {
  ClockOffset offset;
  for (const auto& [date, wrong] : {std::pair{3, false}, {60, true}, {61, true}, {-61, true}, {0, false}}) {
    offset.heard(kToday + date, at(0ms), at(10ms));
    EXPECT_EQ(offset.is_wrong(), wrong) << date;
  }
}

// Dates are whole seconds: a clock that is 5 s off must not begin and end with every other response.
TEST(ClockOffset, SaysLittleAboutAClockOnTheEdge) {
  std::mt19937_64 random(test::random_seed());
  for (const milliseconds truth : {4'000ms, 4'500ms, 5'000ms, 5'400ms, -5'100ms, 6'000ms}) {
    ClockOffset offset;
    int changes = 0;
    for (milliseconds now = 0ms; now < 1h; now += milliseconds(random() % 2'000)) {
      const milliseconds took(random() % 3'000), written(random() % (took.count() + 1));
      const std::int64_t date = (kToday * 1'000 + (now + written + truth).count()) / 1'000;
      const bool was_wrong = offset.is_wrong();
      offset.heard(date, at(now), at(now + took));
      changes += offset.is_wrong() != was_wrong;
      ASSERT_LE(std::chrono::abs(offset.value()), std::chrono::abs(truth));
    }
    EXPECT_LE(changes, 1) << truth.count();
    EXPECT_NEAR(static_cast<double>(offset.value().count() * 1'000), static_cast<double>(truth.count()), 1'100);
  }
}

}  // namespace
}  // namespace sessionlogd
