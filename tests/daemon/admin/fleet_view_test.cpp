#include "daemon/admin/fleet_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Readiness, ComesWhenEveryShardHasSaidHowItsSourcesAre) {
  FleetView view;
  view.shards = {std::make_shared<ShardView>(), nullptr};
  EXPECT_THAT(not_ready(view), ElementsAre(HasSubstr("not been asked")));
  view.shards[1] = std::make_shared<ShardView>();
  EXPECT_THAT(not_ready(view), IsEmpty());
}

TEST(Readiness, NamesTheSinkFirst) {
  FleetView view;
  view.shards = {nullptr};
  view.sink.error = "no space";
  EXPECT_THAT(not_ready(view), ElementsAre(HasSubstr("no space")));
}

}  // namespace
}  // namespace sessionlogd::test
