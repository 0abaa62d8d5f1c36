#include "bench/fleet/faults.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <stdexcept>
#include <string>

#include "bench/fleet/compress.h"
#include "bench/fleet/politeness.h"
#include "bench/fleet/spoil.h"

namespace fleet {
namespace {

TEST(Faults, TheTableIsInTheOrderOfTheEnumeration) {
  std::set<std::string_view> names;
  for (const Misbehaviour& m : misbehaviours()) {
    EXPECT_EQ(&misbehaviour(m.fault), &m) << m.name;
    EXPECT_TRUE(names.insert(m.name).second) << m.name;
    EXPECT_GT(m.probability, 0) << m.name;
  }
}

TEST(Faults, ANameAloneHasItsUsualProbability) {
  FaultMix mix;
  mix.set("loris");
  mix.set("clock=0.75");
  EXPECT_EQ(mix.share(Fault::loris), misbehaviour(Fault::loris).probability);
  EXPECT_EQ(mix.share(Fault::clock), 0.75);
  for (const char* wrong : {"lorises", "loris=", "loris=2", "loris=-1", "loris=often", ""}) {
    EXPECT_THROW(mix.set(wrong), std::invalid_argument) << wrong;
  }
}

TEST(Faults, AllFaultsAreMoreThanThoseOfResponsesAndNotTheEndlessOnes) {
  const FaultMix responses = FaultMix::of_responses(), all = FaultMix::of_everything();
  EXPECT_GT(responses.share(Fault::too_many), 0);
  EXPECT_EQ(responses.share(Fault::garbage), 0);
  EXPECT_GT(all.share(Fault::garbage), 0);
  EXPECT_GT(all.share(Fault::reuse_id), 0);
  EXPECT_EQ(all.share(Fault::retry_huge), 0);
}

TEST(Faults, StrikeTheSameThingsAlways) {
  FaultMix mix;
  mix.set(Fault::reopen, 0.3);
  std::size_t struck = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    EXPECT_EQ(mix.strikes(Fault::reopen, seed), mix.strikes(Fault::reopen, seed));
    EXPECT_FALSE(mix.strikes(Fault::clock, seed));
    struck += mix.strikes(Fault::reopen, seed) ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(struck), 300, 60);
}

TEST(Faults, ABombIsSmallAndOfACodingTheClientAccepts) {
  std::set<std::string_view> codings;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Bomb& one = bomb("deflate, gzip, br, zstd", seed);
    EXPECT_LT(one.body->size(), 1u << 20) << one.coding;
    codings.insert(one.coding);
    EXPECT_EQ(bomb("br", seed).coding, "br");
  }
  EXPECT_EQ(codings.size(), 4u);
}

TEST(Faults, AWrongLengthIsNeverTheRightOne) {
  Random random(5);
  for (int i = 0; i < 100; ++i) {
    Response response;
    response.body = shared_text("0123456789");
    spoil(response, Fault::wrong_length, random);
    EXPECT_NE(response.length_is_off_by, 0);
    EXPECT_GE(response.length_is_off_by, -10);
  }
}

TEST(Faults, ARefusalKeepsItsReason) {
  Random random(5);
  for (const Fault fault : {Fault::cut, Fault::wrong_length}) {
    Response response = problem(Dialect::aws, 400, "Bad Request", "unsupportedApiVersion", "not this one");
    const std::string whole = *response.body;
    spoil(response, fault, random);
    EXPECT_EQ(*response.body, whole);
    EXPECT_EQ(response.length_is_off_by, 0);
  }
}

TEST(Faults, ARetryAfterThatAsksForNothingIsHeldAgainstNobody) {
  Random random(5);
  const Request request;
  EXPECT_EQ(response_instead(Fault::retry_negative, Dialect::aws, request, kHour, random)->wait_until, 0);
  EXPECT_GT(response_instead(Fault::retry_date, Dialect::aws, request, kHour, random)->wait_until, kHour);
  EXPECT_EQ(response_instead(Fault::retry_huge, Dialect::aws, request, kHour, random)->wait_until, 2 * kHour);
}

TEST(Politeness, NamesTheWorstAppliance) {
  const std::string path = testing::TempDir() + "politeness_test";
  const auto account = [](const char* source, int in_flight, int second, int inside) {
    return R"({"record":"account","source":")" + std::string(source) + R"(","most_in_flight":)" +
           std::to_string(in_flight) + R"(,"busiest_second":)" + std::to_string(second) + R"(,"inside_retry_after":)" +
           std::to_string(inside) +
           R"(,"above_rate":0,"most_ahead_ms":0,"on_the_wire":3,"latest_on_the_wire_ms":2,"hasty_logins":0)" +
           R"(,"bad_requests":0,"redirects_followed":0,"logins":1,"refreshes":0,"told":["12:00 )" + source + R"("]})" +
           "\n";
  };
  std::ofstream(path) << account("aws-0000", 4, 40, 0) << account("aws-0001", 5, 41, 0);
  const Politeness politeness = Politeness::read(path);
  EXPECT_TRUE(politeness.violations(Limits::read("connections=5,rate=21")).empty());
  const auto found = politeness.violations(Limits::read("connections=4,rate=20"));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], "aws-0001: 5 requests in flight, 4 allowed");
  EXPECT_EQ(found[1], "aws-0001: 41 requests in a second, 40 allowed");
  const std::vector<std::string> told = {"aws-0000: 12:00 aws-0000", "aws-0001: 12:00 aws-0001"};
  EXPECT_EQ(politeness.first_told(), told);
  std::ofstream(path) << account("aws-0000", 1, 1, 2);
  EXPECT_EQ(Politeness::read(path).violations({}).size(), 1u);
  EXPECT_THROW(Limits::read("connections=4,speed=20"), std::invalid_argument);
}

}  // namespace
}  // namespace fleet
