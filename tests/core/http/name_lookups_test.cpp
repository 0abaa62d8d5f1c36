#include "core/http/name_lookups.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

#include "core/http/threads_of_this_name.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Standing = NameLookups::Standing;

constexpr SteadyTime kFirst{1000h};

std::size_t begin_all(NameLookups& lookups, Standing name) {
  std::size_t begun = 0;
  while (lookups.begin(name)) ++begun;
  return begun;
}

TEST(NameLookups, AreSoManyAndNoMore) {
  NameLookups lookups;
  EXPECT_EQ(begin_all(lookups, Standing::kResolved), NameLookups::kMost);
  lookups.ended();
  EXPECT_EQ(begin_all(lookups, Standing::kResolved), 1u);
}

TEST(NameLookups, OfNamesThatFailLeaveRoomForOthers) {
  NameLookups lookups;
  EXPECT_EQ(begin_all(lookups, Standing::kFailed), NameLookups::kMostFailed);
  EXPECT_EQ(begin_all(lookups, Standing::kUnknown), NameLookups::kMostUnknown - NameLookups::kMostFailed);
  EXPECT_EQ(begin_all(lookups, Standing::kResolved), NameLookups::kMost - NameLookups::kMostUnknown);
  EXPECT_EQ(begin_all(lookups, Standing::kFailed), 0u);
}

TEST(NameLookups, CountUntilTheirThreadsHaveEnded) {
  NameLookups lookups;
  begin_all(lookups, Standing::kResolved);
  EXPECT_FALSE(lookups.must_count(kFirst)) << "all are waited for";
  for (int i = 0; i < 28; ++i) lookups.left();
  EXPECT_TRUE(lookups.must_count(kFirst));
  EXPECT_FALSE(lookups.must_count(kFirst + 999ms)) << "it takes a while";
  lookups.running(128);
  EXPECT_EQ(begin_all(lookups, Standing::kResolved), 0u) << "however long it is";
  EXPECT_TRUE(lookups.must_count(kFirst + 24h));
  lookups.running(110);
  EXPECT_EQ(begin_all(lookups, Standing::kResolved), 18u);
  lookups.running(3);  // some that are waited for have ended, and that is not told yet
  EXPECT_EQ(begin_all(lookups, Standing::kResolved), 10u);
  EXPECT_FALSE(lookups.must_count(kFirst + 48h)) << "none is left";
}

TEST(ThreadsOfThisName, AreThoseThatItMadeAndThatStillRun) {
  std::optional<std::size_t> before, during, after, of_another;
  std::thread maker([&] {
    name_this_thread();
    before = other_threads_of_this_name();
    std::latch counted(1);
    std::vector<std::thread> made;
    for (int i = 0; i < 5; ++i) made.emplace_back([&] { counted.wait(); });
    std::thread another([&] {
      name_this_thread();
      of_another = other_threads_of_this_name();
    });
    another.join();
    during = other_threads_of_this_name();
    counted.count_down();
    for (std::thread& each : made) each.join();
    after = other_threads_of_this_name();
  });
  maker.join();
  EXPECT_EQ(before, 0u);
  EXPECT_EQ(during, 5u);
  EXPECT_EQ(after, 0u);
  EXPECT_EQ(of_another, 0u);
}

}  // namespace
}  // namespace sessionlogd
