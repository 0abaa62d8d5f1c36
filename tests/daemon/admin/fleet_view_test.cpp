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

class ReadinessInAGroup : public testing::Test {
 protected:
  ReadinessInAGroup() { view_.process.group = GroupView{.name = "fra", .is_member = true}; }
  PartitionView& add(PartitionState state) {
    auto& all = view_.process.group->partitions;
    return all.emplace_back(PartitionView{.partition = all.size(), .state = state});
  }

  FleetView view_;
};

TEST_F(ReadinessInAGroup, IsThatOfAMemberWhateverOthersHave) {
  EXPECT_THAT(not_ready(view_), IsEmpty()) << "a spare";
  for (const auto state : {PartitionState::kOwned, PartitionState::kTakingOver, PartitionState::kElsewhere}) add(state);
  EXPECT_THAT(not_ready(view_), IsEmpty());
  view_.process.group->is_member = false;
  EXPECT_THAT(not_ready(view_), ElementsAre("this is no member of the group fra now"));
  view_.process.stopping = true;
  EXPECT_THAT(not_ready(view_), ElementsAre("the daemon is stopping"));
}

TEST_F(ReadinessInAGroup, NamesPartitionsThatCannotBePolled) {
  add(PartitionState::kRefused).why = "damaged";
  add(PartitionState::kWaiting).why = "no broker";
  add(PartitionState::kWaiting);
  add(PartitionState::kInDoubt).why = "no response";
  EXPECT_THAT(not_ready(view_),
              ElementsAre("partition 0 is refused: damaged", "partition 1 waits to be taken over: no broker",
                          "partition 2 waits to be taken over", "partition 3 is in doubt: no response"));
}

}  // namespace
}  // namespace sessionlogd::test
