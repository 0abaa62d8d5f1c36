// What happens to whole sources when too much comes at once, and after it: the daemon's own pollers and clients, on
// simulated time. All bounds are in that time, or counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/support/simulated_shard.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using test::PlannedSession;
using test::SimulatedAppliance;
using test::SimulatedShard;
using test::Traffic;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::Le;

// Whatever grows is read each `interval`.
PollSettings eager() {
  PollSettings poll;
  poll.freshness = 500ms;
  return poll;
}

// They begin evenly over `over`.
std::vector<PlannedSession> sessions(std::size_t count, milliseconds begin_in, milliseconds length,
                                     std::uint16_t entries, milliseconds over = 0ms) {
  std::vector<PlannedSession> plan;
  for (std::size_t i = 0; i < count; ++i) {
    const milliseconds start = begin_in + over * static_cast<int>(i) / static_cast<int>(count);
    plan.push_back({test::now_ms() + start.count(), static_cast<std::uint32_t>(length.count()), entries});
  }
  return plan;
}

// So many polls, while it lives, began later than `bound` seconds, which is one of the histogram's.
class LatePolls {
 public:
  explicit LatePolls(SimulatedShard& shard) : shard_(shard), before_(read()) {}

  std::uint64_t above(double bound) const {
    const HistogramCounts now = read();
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < now.counts.size(); ++i) {
      if (i == now.bounds.size() || now.bounds[i] > bound) count += now.counts[i] - before_.counts[i];
    }
    return count;
  }

 private:
  HistogramCounts read() const { return shard_.metrics().poll_lateness_seconds.read(); }

  SimulatedShard& shard_;
  const HistogramCounts before_;
};

// Of the whole fleet, in one of the last seconds.
unsigned busiest_of_last(const SimulatedShard& shard, int seconds) {
  return *std::max_element(shard.per_second().end() - seconds, shard.per_second().end());
}

unsigned average_of_last(const SimulatedShard& shard, int seconds) {
  return std::accumulate(shard.per_second().end() - seconds, shard.per_second().end(), 0u) /
         static_cast<unsigned>(seconds);
}

// Of one appliance, in any second so far.
unsigned busiest_of_one(SimulatedShard& shard) {
  unsigned most = 0;
  for (std::size_t i = 0; i < shard.size(); ++i) most = std::max(most, shard.appliance(i).busiest_second());
  return most;
}

// A full bucket, and what comes into it within the second.
unsigned most_in_a_second(const PollSettings& poll = {}) { return static_cast<unsigned>(2 * poll.rate_per_second); }

std::uint64_t requests_of(SimulatedShard& shard, std::size_t begin, std::size_t end) {
  std::uint64_t sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += shard.appliance(i).requests();
  return sum;
}

std::vector<std::uint64_t> polls_of(const SimulatedAppliance& appliance) {
  std::vector<std::uint64_t> polls;
  for (std::size_t i = 0; i < appliance.plan().size(); ++i) polls.push_back(appliance.polls_of(i));
  return polls;
}

// Entries that some session shows and that were in no response.
std::size_t most_unread(SimulatedShard& shard) {
  std::size_t most = 0;
  for (std::size_t i = 0; i < shard.size(); ++i) {
    const SimulatedAppliance& appliance = shard.appliance(i);
    for (std::size_t session = 0; session < appliance.plan().size(); ++session)
      most = std::max(most, appliance.plan()[session].shown_at(test::now_ms()) - appliance.read_of(session));
  }
  return most;
}

std::vector<std::uint64_t> requests_of_each(SimulatedShard& shard) {
  std::vector<std::uint64_t> requests;
  for (std::size_t i = 0; i < shard.size(); ++i) requests.push_back(shard.appliance(i).requests());
  return requests;
}

TEST(Overload, TenThousandSessionsThatAppearAtOnceAreReadWithinAListingAndTheirRate) {
  SimulatedShard shard({});
  constexpr unsigned kSources = 100;
  for (unsigned source = 0; source < kSources; ++source) shard.add(sessions(100, 40s, 10min, 2));
  shard.run(40s);
  EXPECT_EQ(shard.traffic().new_entries, 0u);
  shard.run(40s);  // 30 s until they are listed, 5 s at their source's rate, 5 s for the requests themselves
  EXPECT_EQ(shard.traffic().new_entries, 10'000u);
  EXPECT_LE(busiest_of_one(shard), most_in_a_second());
  const LatePolls late(shard);
  shard.run(20s);
  EXPECT_EQ(late.above(1), 0u);
  // They are polled again together, but without the bursts that the rate would let through.
  EXPECT_LE(busiest_of_last(shard, 20), kSources * PollSettings{}.rate_per_second);
  EXPECT_LT(shard.most_queue_bytes(), 16u << 20);
}

TEST(Overload, HalfOfTheFleetThatIsDownIsProbedAndComesBackWithoutARush) {
  constexpr std::size_t kGood = 20, kAll = 40;
  SimulatedShard shard({});
  for (std::size_t source = 0; source < kAll; ++source) shard.add(sessions(2, 0s, 60min, 1'200), eager());
  shard.run(2min);
  const unsigned busiest_before = busiest_of_last(shard, 60);

  for (std::size_t i = kGood; i < kAll; ++i) shard.appliance(i).go_down();
  shard.run(1min);  // until every breaker is open
  const std::uint64_t of_bad = requests_of(shard, kGood, kAll), of_good = requests_of(shard, 0, kGood);
  shard.run(9min);
  EXPECT_LE(requests_of(shard, kGood, kAll) - of_bad, (kAll - kGood) * (9 * 2 + 1));  // one in 30 s
  EXPECT_GE(requests_of(shard, 0, kGood) - of_good, kGood * 2 * 9 * 60 / 6);  // sessions that grow, every 5 s or so

  for (std::size_t i = kGood; i < kAll; ++i) shard.appliance(i).come_back();
  shard.run(35s);  // until the next probe, and what waited
  EXPECT_LE(busiest_of_last(shard, 35), 2 * busiest_before);
  EXPECT_LE(busiest_of_one(shard), most_in_a_second());
  const LatePolls after(shard);
  shard.run(60s);
  EXPECT_EQ(after.above(0.1), 0u);
  EXPECT_LE(busiest_of_last(shard, 60), 2 * busiest_before);
  EXPECT_LE(most_unread(shard), 4u);  // one comes in three seconds, and is read in five or so
}

TEST(Overload, TokensThatEndEverywhereAtOnceCostOneRenewalEach) {
  constexpr std::size_t kSources = 50;
  SimulatedShard shard({});
  // As many sessions as may be read at once: they keep the same time, and one more would wait for the others.
  for (std::size_t source = 0; source < kSources; ++source)
    shard.add(sessions(PollSettings{}.connections, 0s, 60min, 1'200));
  shard.run(2min);
  const unsigned busiest_before = busiest_of_last(shard, 60);
  const std::uint64_t tokens = shard.traffic().requests[Traffic::kToken];
  for (std::size_t i = 0; i < kSources; ++i) shard.appliance(i).end_tokens();
  const LatePolls late(shard);
  shard.run(30s);
  // A login each, and perhaps a refresh before it that is refused; and of the polls those that were on their way.
  EXPECT_LE(shard.traffic().requests[Traffic::kToken] - tokens, 2 * kSources);
  EXPECT_LE(shard.traffic().refused, kSources * PollSettings{}.connections);
  EXPECT_LE(busiest_of_last(shard, 30), 3 * busiest_before);
  EXPECT_EQ(late.above(1), 0u);
  const LatePolls after(shard);
  shard.run(30s);
  EXPECT_EQ(after.above(0.1), 0u);
  EXPECT_LE(busiest_of_last(shard, 30), 2 * busiest_before);
}

TEST(Overload, AHundredThousandSessionsDelayNeitherTheThreeOfTheNextSourceNorThoseThatGrow) {
  constexpr std::size_t kBacklog = 100'000, kGrowing = 5;
  SimulatedShard shard({});
  auto plan = sessions(kBacklog, -180min, 1min, 2);
  for (const PlannedSession& growing : sessions(kGrowing, 0s, 60min, 1'800)) plan.push_back(growing);
  SimulatedAppliance& large = shard.add(plan, eager());
  SimulatedAppliance& small = shard.add(sessions(3, 0s, 60min, 1'800), eager());
  shard.run(150s);  // of which listing them takes 100
  const auto before = polls_of(small), before_large = polls_of(large);
  const std::uint64_t requests = large.requests();
  shard.run(120s);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GE(polls_of(small)[i] - before[i], 120u / 6);
  for (std::size_t i = kBacklog; i < plan.size(); ++i) EXPECT_GE(polls_of(large)[i] - before_large[i], 120u / 6);
  // The backlog has what is left of the rate.
  EXPECT_GE(large.requests() - requests, 120u * 19);
  EXPECT_LE(busiest_of_one(shard), most_in_a_second());
}

TEST(Overload, OfABudgetThatIsTooSmallThoseThatGrowHaveMostAndTheQuietOnesEnough) {
  constexpr std::size_t kQuiet = 400, kGrowing = 8;
  SimulatedShard shard({});
  PollSettings poll = eager();
  poll.rate_per_second = 2;  // they would take eight
  auto plan = sessions(kQuiet, 0s, 120min, 1);
  for (const PlannedSession& growing : sessions(kGrowing, 0s, 120min, 3'600)) plan.push_back(growing);
  SimulatedAppliance& appliance = shard.add(plan, poll);
  shard.run(10min);  // until each was read once
  const auto before = polls_of(appliance);
  EXPECT_THAT(before, Each(Ge(1u)));
  const LatePolls late(shard);
  shard.run(25min);
  auto polls = polls_of(appliance);
  for (std::size_t i = 0; i < polls.size(); ++i) polls[i] -= before[i];
  const std::vector<std::uint64_t> quiet(polls.begin(), polls.begin() + kQuiet),
      growing(polls.begin() + kQuiet, polls.end());
  EXPECT_THAT(growing, Each(Ge(25u * 60 / 10)));    // one in 10 s at least, of one in 5 s
  EXPECT_THAT(quiet, Each(AllOf(Ge(1u), Le(4u))));  // three on average, nobody much ahead of others
  EXPECT_GE(late.above(60), kQuiet);                // and the metric says so
}

TEST(Overload, SourcesThatBeganTogetherDoNotListTogetherForEver) {
  constexpr unsigned kSources = 300, kRequests = 2;  // of one listing: of the window, and of those that run
  SimulatedShard shard({});
  for (unsigned source = 0; source < kSources; ++source) shard.add({});
  shard.run(2s);
  EXPECT_GE(shard.traffic().requests[Traffic::kListing], kSources * kRequests);
  const std::uint64_t before = requests_of(shard, 0, kSources);
  shard.run(10min);
  // In step they would be thirty to one.
  EXPECT_LE(busiest_of_last(shard, 60), 5 * average_of_last(shard, 60));
  // Seven eighths of discovery_interval apart at least, and no more than all of it beside what the requests take.
  for (std::size_t i = 0; i < kSources; ++i) {
    EXPECT_LE(shard.appliance(i).requests(), 1 + kRequests * (1 + 602 / 26));
    EXPECT_GE(shard.appliance(i).requests(), 1 + kRequests * (602 / 31));
  }
  EXPECT_GE(requests_of(shard, 0, kSources) - before, kSources * kRequests * (600 / 29));
}

TEST(Overload, APauseOfTheSinkIsFollowedByNoBurstThatStays) {
  constexpr std::size_t kQueue = 16u << 10;
  SimulatedShard shard({.queue_bytes = kQueue});
  for (int source = 0; source < 15; ++source) shard.add(sessions(40, 0s, 120min, 1, 60s));
  shard.run(3min);
  shard.stop_sink();
  // Something comes, so that the queue fills.
  for (int source = 0; source < 10; ++source) shard.add(sessions(5, 0s, 120min, 3'600));
  shard.run(4min);
  EXPECT_EQ(busiest_of_last(shard, 120), 0u);
  EXPECT_LT(shard.queue_bytes(), 2 * kQueue);

  shard.start_sink();
  shard.run(90s);
  EXPECT_LE(busiest_of_one(shard), most_in_a_second());
  const LatePolls late(shard);
  shard.run(5min);
  EXPECT_EQ(late.above(1), 0u);
  // Had they stayed together, each minute would have its second of 300.
  EXPECT_LE(busiest_of_last(shard, 60), 6 * average_of_last(shard, 60));
}

TEST(Overload, ASlowSinkHoldsPollingBackAndStarvesNoSource) {
  constexpr std::size_t kSources = 20, kSessions = 5, kQueue = 64u << 10;
  SimulatedShard shard({.queue_bytes = kQueue});
  for (std::size_t source = 0; source < kSources; ++source) shard.add(sessions(kSessions, 0s, 120min, 3'600), eager());
  shard.run(2min);
  const unsigned busiest_before = busiest_of_last(shard, 60);

  auto requests = requests_of_each(shard);
  const LatePolls behind(shard);
  shard.set_commit_time(10s);  // the queue is full of what comes in three
  shard.run(15min);            // chance evens out
  EXPECT_LE(shard.most_queue_bytes(), 2 * kQueue);
  EXPECT_GE(std::count(shard.per_second().end() - 900, shard.per_second().end(), 0u), 720);
  EXPECT_GE(behind.above(10), kSources * kSessions);  // and the metric says so
  for (std::size_t i = 0; i < kSources; ++i) requests[i] = shard.appliance(i).requests() - requests[i];
  const std::uint64_t average = std::accumulate(requests.begin(), requests.end(), std::uint64_t{0}) / kSources;
  EXPECT_THAT(requests, Each(AllOf(Ge(average / 3), Le(2 * average))));

  shard.set_commit_time(0s);
  shard.run(40s);  // what is left of the last commit, and each session once
  const LatePolls late(shard);
  shard.run(60s);
  EXPECT_EQ(late.above(0.1), 0u);
  EXPECT_LE(busiest_of_last(shard, 100), 2 * busiest_before);
  EXPECT_LE(busiest_of_one(shard), most_in_a_second());
  EXPECT_LE(most_unread(shard), 5u);  // one comes in two seconds, and is read in five or so
}

}  // namespace
}  // namespace sessionlogd
