#include "core/name_lookups.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1000h};

TEST(NameLookups, AreSoManyAndNoMore) {
  NameLookups lookups;
  for (std::size_t i = 0; i < NameLookups::kMost; ++i) ASSERT_TRUE(lookups.begin(kStart));
  EXPECT_FALSE(lookups.begin(kStart));
  lookups.ended();
  EXPECT_TRUE(lookups.begin(kStart));
  EXPECT_FALSE(lookups.begin(kStart));
}

TEST(NameLookups, CountAsLongAsTheirThreadsMayLast) {
  NameLookups lookups;
  for (std::size_t i = 0; i < NameLookups::kMost; ++i) ASSERT_TRUE(lookups.begin(kStart));
  lookups.left(kStart + 10s);
  lookups.left(kStart + 20s);
  EXPECT_FALSE(lookups.begin(kStart + 69s));
  EXPECT_TRUE(lookups.begin(kStart + 70s));
  EXPECT_FALSE(lookups.begin(kStart + 70s));
  EXPECT_TRUE(lookups.begin(kStart + 80s));
}

}  // namespace
}  // namespace sessionlogd
