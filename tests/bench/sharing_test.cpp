#include "bench/fleet/sharing.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "bench/fleet/visits.h"

namespace fleet {
namespace {

constexpr auto kRequest = Sharing::Kind::request;
constexpr auto kLogin = Sharing::Kind::login;
constexpr auto kLogout = Sharing::Kind::logout;
constexpr Nanos kStart = 400'000 * kHour;

struct Step {
  Nanos ms;
  const char* who;
  Sharing::Kind kind = kRequest;
};

Sharing sharing_of(const std::vector<Step>& steps) {
  Sharing sharing;
  for (const Step& step : steps) sharing.add("aws-0001", step.who, kStart + step.ms * kMillisecond, step.kind);
  return sharing;
}

TEST(Sharing, SeesWhoComesInBetweenAfterItWentOn) {
  struct Case {
    const char* what;
    std::vector<Step> steps;
    std::size_t found;
  };
  const Case cases[] = {
      {"it comes between two of the owner's", {{4'000, "b"}, {4'500, "a"}, {5'000, "b"}}, 1},
      {"whatever the order that it is told in", {{5'000, "b"}, {4'500, "a"}, {4'000, "b"}}, 1},
      {"the owner's lie 2 s apart", {{4'000, "b"}, {5'000, "a"}, {6'000, "b"}}, 1},
      {"the source came back to it", {{4'000, "b"}, {5'000, "a"}, {5'500, "a"}, {6'500, "b"}}, 0},
      {"it only begins", {{4'000, "b"}, {4'500, "a"}, {5'000, "a"}}, 0},
      {"it only ends", {{4'000, "a"}, {4'500, "b"}, {5'000, "b"}}, 0},
      {"within 3 s", {{2'000, "b"}, {2'500, "a"}, {3'000, "b"}}, 0},
      {"long after", {{11'000, "b"}, {11'500, "a"}, {12'000, "b"}}, 0},
      {"another one does it", {{4'000, "b"}, {4'500, "c"}, {5'000, "b"}}, 0},
      {"it logs out", {{4'000, "b"}, {4'500, "a", kLogout}, {5'000, "b"}}, 0},
      {"the owner logs out", {{4'000, "b"}, {4'500, "a"}, {5'000, "b", kLogout}}, 0},
      {"two others, one request each", {{4'000, "b"}, {4'500, "a"}, {5'000, "c"}}, 0},
  };
  SharingLimits limits;
  limits.thaws.push_back({"a", kStart});
  for (const Case& c : cases) EXPECT_EQ(sharing_of(c.steps).violations(limits).size(), c.found) << c.what;
}

TEST(Sharing, AllowsTwiceTheRateInASecondOfTheClock) {
  SharingLimits limits;
  limits.rate = 2;
  std::vector<Step> steps{{0, "a"}, {300, "b"}, {600, "a"}, {999, "b"}, {1'000, "b"}};
  EXPECT_TRUE(sharing_of(steps).violations(limits).empty());
  steps.push_back({998, "c"});
  EXPECT_EQ(sharing_of(steps).violations(limits).size(), 1u);
}

TEST(Sharing, CountsTheLoginsOfAllMembersInAnyThirtySeconds) {
  SharingLimits limits;
  limits.members = 2;
  std::vector<Step> steps{{10'000, "a", kLogin}, {20'000, "b", kLogin}, {30'000, "b"}, {40'000, "c", kLogin}};
  EXPECT_TRUE(sharing_of(steps).violations(limits).empty());
  steps.push_back({39'999, "a", kLogin});
  EXPECT_EQ(sharing_of(steps).violations(limits).size(), 1u);
}

TEST(Sharing, CountsNoFirstLoginAfterAStopInGoodOrder) {
  SharingLimits limits;
  limits.members = 1;
  limits.starts.push_back({"a", kStart + 11 * kSecond});
  std::vector<Step> steps{{10'000, "a", kLogin}, {12'000, "a", kLogin}};
  EXPECT_TRUE(sharing_of(steps).violations(limits).empty());
  steps.push_back({13'000, "a", kLogin});
  EXPECT_EQ(sharing_of(steps).violations(limits).size(), 1u) << "the second one does";
  steps.back() = {13'000, "b", kLogin};
  EXPECT_EQ(sharing_of(steps).violations(limits).size(), 1u) << "another one's does";
}

TEST(Sharing, KeepsSourcesApart) {
  Sharing sharing;
  for (const char* source : {"aws-0001", "aws-0002"}) sharing.add(source, "a", kStart, kLogin);
  SharingLimits limits;
  limits.members = 1;
  EXPECT_TRUE(sharing.violations(limits).empty());
}

TEST(Sharing, ReadsWhatTheFleetWrites) {
  const std::filesystem::path file = testing::TempDir() + "sharing_test.ndjson";
  const std::uint32_t loopback = 127u << 24 | 1, door = 127u << 24 | 1u << 8 | 2, host = 10u << 24 | 7;
  std::ofstream(file) << visit_lines("aws-0001", {{kStart, {loopback, door}, Visit::kLogin},
                                                  {kStart + kSecond, {host, door}, Visit::kLogout},
                                                  {kStart + 2 * kSecond, {loopback, door}, Visit::kRequest}});
  const Sharing sharing = Sharing::read(file);
  std::filesystem::remove(file);
  const std::string table = sharing.to_table();
  EXPECT_NE(table.find("127.0.1.2                     2        1\n"), std::string::npos) << table;
  EXPECT_NE(table.find("10.0.0.7                      1        0\n"), std::string::npos) << table;
}

TEST(Sharing, SaysWhatIsNoVisit) {
  const std::filesystem::path file = testing::TempDir() + "sharing_test_bad.ndjson";
  std::ofstream(file) << R"({"at":1,"source":"aws-0001"})" << '\n';
  EXPECT_THROW(Sharing::read(file), std::runtime_error);
  std::filesystem::remove(file);
  EXPECT_THROW(Sharing::read(file), std::runtime_error);
  for (const char* wrong : {"", "@5", "a@", "a@5s", "a"}) EXPECT_THROW(Moment::read(wrong), std::invalid_argument);
}

}  // namespace
}  // namespace fleet
