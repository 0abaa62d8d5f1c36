#include "daemon/service/line_groups.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1000h};
constexpr int kWarn = 3;

std::string unresolved(int number) {
  return fmt::format(
      "cannot be listed: appliance-{0}.example:11005: the name cannot be resolved: Could not resolve "
      "host: appliance-{0}.example; it is tried again",
      number);
}

TEST(LineGroups, HaveWordsInCommonThatAreNoNames) {
  EXPECT_EQ(common_part(unresolved(1)), common_part(unresolved(742)));
  EXPECT_EQ(common_part("clock is 3601 s behind ours: set one of them right"),
            common_part("clock is 3599 s behind ours: set one of them right"));
  EXPECT_EQ(common_part("10.0.0.5:443: timed out"), common_part("[2001:db8::7]:11005: timed out"));
  EXPECT_NE(common_part("gives no logs: HTTP 404"), common_part("cannot be listed: HTTP 404"));
  EXPECT_NE(common_part("cannot be listed: HTTP 401 to /a: no"), common_part("cannot be listed: HTTP 503 to /a: no"));
  EXPECT_EQ(common_part(""), "");
}

TEST(LineGroups, SayTheFirstAsTheyAreAndTheRestAsOneLine) {
  LineGroups groups;
  int passed = 0;
  for (int i = 0; i < 1'000; ++i)
    passed += groups.may_pass(kWarn, fmt::format("source-{}", i), unresolved(i), kStart + i * 1ms);
  EXPECT_EQ(passed, static_cast<int>(LineGroups::kSaidAlone));
  EXPECT_TRUE(groups.take_ended(kStart + 9s).empty());
  const auto lines = groups.take_ended(kStart + 10s);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].level, kWarn);
  EXPECT_THAT(lines[0].text,
              testing::StartsWith("995 more sources within 10 s: cannot be listed: appliance-0.example"));
  EXPECT_THAT(lines[0].text, testing::EndsWith("is it our resolver?"));
  EXPECT_TRUE(groups.take_ended(kStart + 20s).empty());
  EXPECT_TRUE(groups.may_pass(kWarn, "source-1", unresolved(1), kStart + 11s)) << "a window of its own";
}

TEST(LineGroups, HoldNothingOfAFewSources) {
  LineGroups groups;
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(groups.may_pass(kWarn, "a", fmt::format("fault {}", i), kStart));
  EXPECT_TRUE(groups.take_ended(kStart + 1min).empty());
}

TEST(LineGroups, AreAsManyAsTheyMayBe) {
  LineGroups groups;
  for (int i = 0; i < 1'000; ++i) {
    const std::string words(static_cast<std::size_t>(i) + 1, 'x');
    for (int source = 0; source < 10; ++source) groups.may_pass(kWarn, std::to_string(source), words, kStart);
  }
  EXPECT_EQ(groups.take_ended(kStart + 10s).size(), LineGroups::kMostGroups);
}

}  // namespace
}  // namespace sessionlogd::test
