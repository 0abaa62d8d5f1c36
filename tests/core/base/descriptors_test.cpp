#include "core/base/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace sessionlogd {
namespace {

TEST(Descriptors, KeepsSomeForWhatIsNoSource) {
  EXPECT_EQ(Descriptors(1'024).connections(2), 768u);
  EXPECT_EQ(Descriptors(20'000).connections(2), 19'744u);
  EXPECT_EQ(Descriptors(65'536).connections(2), 65'280u);
  EXPECT_EQ(Descriptors(200).connections(2), 200u - 76u) << "a quarter is not enough";
  EXPECT_EQ(Descriptors(1'024).connections(100), 1'024u - 664u) << "each shard has some of its own";
  EXPECT_TRUE(Descriptors(1'024).are_enough_for(768, 2));
  EXPECT_FALSE(Descriptors(1'024).are_enough_for(769, 2));
}

TEST(Descriptors, AreRefusedBelowWhatIsNeededBesideConnections) {
  EXPECT_FALSE(Descriptors(91).are_enough_to_start(2));
  EXPECT_TRUE(Descriptors(92).are_enough_to_start(2));
  EXPECT_EQ(Descriptors(92).connections(2), 16u);
}

TEST(Descriptors, AreRaisedAsFarAsThisProcessMay) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lowered = before;
  lowered.rlim_cur = before.rlim_max < 200 ? before.rlim_max : 200;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  const std::size_t limit = Descriptors::raise().limit();
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(limit, after.rlim_cur);
  EXPECT_GE(after.rlim_cur, std::min<rlim_t>(before.rlim_max, 1u << 20));
  EXPECT_EQ(after.rlim_max, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace sessionlogd
