#include "core/http/response_times.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

void take(ResponseTimes& times, int count, std::chrono::nanoseconds each) {
  for (int i = 0; i < count; ++i) times.took(each);
}

double quantile(const ResponseTimes& times, double share) { return times.quantile(share).value_or(-1s).count(); }

TEST(ResponseTimes, AreUnknownBeforeThereWasOne) { EXPECT_FALSE(ResponseTimes().quantile(0.5)); }

TEST(ResponseTimes, NeverSayLessThanItWasAndAtMostHalfAsMuchMore) {
  for (const auto took : {1ms, 3ms, 7ms, 20ms, 100ms, 999ms, 3'000ms, 30'000ms}) {
    ResponseTimes times;
    times.took(took);
    const double seconds = std::chrono::duration<double>(took).count();
    EXPECT_GE(quantile(times, 0.5), seconds * 0.999) << took.count();
    EXPECT_LE(quantile(times, 0.5), seconds * 1.42) << took.count();
  }
}

TEST(ResponseTimes, TellTheUsualFromTheSlowest) {
  ResponseTimes times;
  take(times, 94, 10ms);
  take(times, 6, 5s);
  EXPECT_LT(quantile(times, 0.5), 0.015);
  EXPECT_GE(quantile(times, 0.95), 5);
}

TEST(ResponseTimes, TakeWhatIsNoTimeAndWhatIsFarTooLong) {
  ResponseTimes times;
  times.took(0ns);
  EXPECT_DOUBLE_EQ(quantile(times, 0.5), 0.001);
  take(times, 10, 10h);
  EXPECT_GT(quantile(times, 0.95), 46);
}

TEST(ResponseTimes, ForgetWhatWasLongAgo) {
  ResponseTimes times;
  take(times, 1'000'000, 10ms);
  take(times, 1'100, 1s);
  EXPECT_GE(quantile(times, 0.5), 1) << "a source that became slow";
  take(times, 10'000, 10ms);
  EXPECT_LT(quantile(times, 0.95), 0.1) << "and is quick again";
}

}  // namespace
}  // namespace sessionlogd
