#include "core/base/kept_instant.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

TEST(KeptInstant, IsTheInstantThatWasKept) {
  const Instant instants[] = {
      kNever,
      {-62'167'219'200, 0},  // 0000-01-01
      {-62'135'596'800, 0},  // .NET's nothing
      {-1, 999'999'999},
      {0, 0},
      {0, 1},
      {UINT32_MAX, 5},
      {std::int64_t{UINT32_MAX} + 1, 5},
      {1'700'000'000, 123'456'789},
      {253'402'300'799, 999'999'999},  // the end of 9999
  };
  for (const Instant& at : instants) {
    const Instant back = KeptInstant(at);
    EXPECT_EQ(back, at) << at.seconds << " " << at.nanos;
  }
  EXPECT_EQ(Instant(KeptInstant()), kNever);
}

TEST(KeptInstant, StaysInOrder) {
  EXPECT_LT(Instant(KeptInstant(kNever)), Instant(KeptInstant(Instant{-62'167'219'200, 0})));
  EXPECT_LT(Instant(KeptInstant(Instant{-1, 999'999'999})), Instant(KeptInstant(Instant{0, 0})));
}

}  // namespace
}  // namespace sessionlogd
