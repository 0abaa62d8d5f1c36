// The metrics of a member of a group: those of the table, with its values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "daemon/admin/metrics_text.h"
#include "tests/support/read_text.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;

std::string metrics_of_a_member() {
  FleetView view;
  GroupView& group = view.process.group.emplace();
  for (const auto state : {PartitionState::kOwned, PartitionState::kOwned, PartitionState::kRefused,
                           PartitionState::kInDoubt, PartitionState::kElsewhere, PartitionState::kUnowned})
    group.partitions.push_back({.partition = group.partitions.size(), .state = state});
  group.members.resize(3);
  group.unknown = {"gone"};
  group.rebalances = 4;
  group.counts = {.taken_over = 5, .not_taken_over = 6, .revoked = 7, .lost = 8, .fenced = 9, .frozen = 10};
  Histogram seconds(kTakeoverBounds);
  seconds.observe(std::chrono::seconds{2});
  group.counts.takeover_seconds = seconds.read();
  return metrics_text(view);
}

TEST(GroupMetrics, SayHowTheGroupIs) {
  const std::string text = metrics_of_a_member();
  for (const char* sample :
       {"partitions{state=\"owned\"} 2", "partitions{state=\"refused\"} 1", "partitions{state=\"waiting\"} 0",
        "partitions{state=\"in_doubt\"} 1", "group_partitions 6", "group_members 3", "group_rebalances_total 4",
        "partition_takeovers_total{result=\"well\"} 5", "partition_takeovers_total{result=\"failed\"} 6",
        "partitions_released_total{how=\"revoked\"} 7", "partitions_released_total{how=\"lost\"} 8",
        "partitions_released_total{how=\"fenced\"} 9", "frozen_total 10", "sources_unknown 1",
        "takeover_seconds_count 1"})
    EXPECT_THAT(text, HasSubstr(std::string("sessionlogd_") + sample)) << sample;
  EXPECT_EQ(text.find("state=\"elsewhere\""), text.npos);
}

// Each that a daemon alone has not stands in the group's table, with its help.
TEST(GroupMetrics, AreThoseOfTheTable) {
  std::string page = test::read_text(METRICS_TABLE);
  page.erase(0, page.find("\nA member of a [group]"));
  std::set<std::string> documented, given;
  const std::regex row(R"(\| `(sessionlogd_\w+)` \| \w+ \| .*? \| (.*) \|)");
  for (std::sregex_iterator it(page.begin(), page.end(), row); it != std::sregex_iterator(); ++it)
    documented.insert((*it)[1].str() + " " + (*it)[2].str());
  const auto helps_of = [](const std::string& text) {
    std::set<std::string> helps;
    const std::regex help(R"(# HELP (\w+ .*)\n)");
    for (std::sregex_iterator it(text.begin(), text.end(), help); it != std::sregex_iterator(); ++it)
      helps.insert((*it)[1].str());
    return helps;
  };
  given = helps_of(metrics_of_a_member());
  for (const std::string& alone : helps_of(metrics_text(FleetView()))) given.erase(alone);
  EXPECT_EQ(given, documented);
}

}  // namespace
}  // namespace sessionlogd::test
