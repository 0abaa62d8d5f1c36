#include "core/base/said_pair.h"

#include <gtest/gtest.h>

#include <memory>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1000h};

TEST(SaidPair, IsSaidWhenItBeginsAndWhenItHasStayedAway) {
  SaidPair pair;
  EXPECT_FALSE(pair.is_not_so(kStart)) << "it never was";
  EXPECT_TRUE(pair.is_so());
  EXPECT_FALSE(pair.is_so());
  EXPECT_FALSE(pair.is_not_so(kStart));
  EXPECT_FALSE(pair.is_not_so(kStart + 59s));
  EXPECT_TRUE(pair.is_not_so(kStart + 60s));
  EXPECT_FALSE(pair.is_not_so(kStart + 61s)) << "once";
  EXPECT_TRUE(pair.is_so()) << "news again";
}

TEST(SaidPair, ThatComesAndGoesIsSaidOnce) {
  const auto made = std::make_unique<SaidPair>();  // on the stack g++ 12 warns of its optional, falsely
  SaidPair& pair = *made;
  int lines = 0;
  for (SteadyTime now = kStart; now < kStart + 10min; now += 1s)
    lines += (now - kStart) / 1s % 2 == 0 ? pair.is_so() : pair.is_not_so(now);
  EXPECT_EQ(lines, 1);
}

TEST(SaidOutage, EndsAtOnceUnlessItComesAndGoes) {
  const auto made = std::make_unique<SaidOutage>();
  SaidOutage& outage = *made;
  EXPECT_FALSE(outage.is_not_so(kStart)) << "it never was";
  EXPECT_TRUE(outage.is_so(kStart));
  EXPECT_FALSE(outage.is_so(kStart + 1s));
  EXPECT_TRUE(outage.is_not_so(kStart + 2s));
  EXPECT_FALSE(outage.is_not_so(kStart + 3s)) << "once";
  EXPECT_TRUE(outage.is_so(kStart + 30s));
  EXPECT_FALSE(outage.is_not_so(kStart + 31s)) << "it may come again";
  EXPECT_FALSE(outage.is_so(kStart + 40s));
  EXPECT_FALSE(outage.is_not_so(kStart + 41s));
  EXPECT_TRUE(outage.is_not_so(kStart + 101s));
  EXPECT_TRUE(outage.is_so(kStart + 161s));
  EXPECT_TRUE(outage.is_not_so(kStart + 162s)) << "a minute later it is another";
}

}  // namespace
}  // namespace sessionlogd
