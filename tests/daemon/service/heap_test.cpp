#include "daemon/service/heap.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMiB = std::size_t{1} << 20;
const SteadyTime kBegin{};

TEST(HeapTrim, IsDueOnceTheProcessHasGrownAndNotOften) {
  HeapTrim trim;
  EXPECT_FALSE(trim.is_due(kBegin, 20 * kMiB));
  EXPECT_FALSE(trim.is_due(kBegin + 29s, 100 * kMiB));
  EXPECT_TRUE(trim.is_due(kBegin + 30s, 100 * kMiB));
  trim.done(kBegin + 30s, 40 * kMiB);
  EXPECT_FALSE(trim.is_due(kBegin + 59s, 100 * kMiB));
  EXPECT_FALSE(trim.is_due(kBegin + 60s, 43 * kMiB));
  EXPECT_TRUE(trim.is_due(kBegin + 61s, 44 * kMiB));
}

TEST(HeapTrim, CountsGrowthFromTheLeastThatItWas) {
  HeapTrim trim;
  trim.done(kBegin, 100 * kMiB);
  EXPECT_FALSE(trim.is_due(kBegin + 31s, 50 * kMiB));
  EXPECT_TRUE(trim.is_due(kBegin + 32s, 54 * kMiB));
}

TEST(Heap, KnowsWhatIsResident) { EXPECT_GT(resident_bytes(), kMiB); }

}  // namespace
}  // namespace sessionlogd
