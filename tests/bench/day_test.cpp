// What bench/day makes of a file of sessions, and how it compares paces.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/day/comparison.h"
#include "bench/day/plan.h"
#include "bench/day/trace.h"

namespace sessionlogd {
namespace {

using test::PlannedSession;

class Trace {
 public:
  explicit Trace(const std::string& text) { std::ofstream(path_) << text; }
  ~Trace() { std::remove(path_.c_str()); }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  Plans read(const TraceTaken& taken = {}) const { return read_trace(path_, taken); }
  std::string refusal() const {
    try {
      read();
    } catch (const std::runtime_error& error) {
      return std::string(error.what()).substr(path_.size());
    }
    return "none";
  }

 private:
  const std::string path_ = testing::TempDir() + "day_test." + std::to_string(::getpid()) + ".ndjson";
};

std::string line(std::string_view rest, int appliance = 0, std::string_view session = "s") {
  return R"({"appliance":)" + std::to_string(appliance) + R"(,"session":")" + std::string(session) + R"(",)" +
         std::string(rest) + "}\n";
}

TEST(DayTrace, HoldsWhatSessionsWroteAndWhen) {
  const Trace trace(line(R"("type":"A \"b\"","start":60,"stop":100,"entries":[80.5,60],"changes":[[0,90],[0,95]])"));
  const Plans plans = trace.read();
  ASSERT_EQ(plans.size(), 1u);
  const PlannedSession& session = plans[0].at(0);
  EXPECT_EQ(session.script->type, R"(A \"b\")");
  EXPECT_EQ(session.appears_ms(0), 60'000);
  EXPECT_EQ(session.appears_ms(1), 80'500);
  const struct {
    std::int64_t now_ms;
    std::size_t shown;
    bool final;
    unsigned changes;
  } rows[] = {
      {59'999, 0, false, 0}, {60'000, 1, false, 0}, {80'500, 2, false, 0}, {90'000, 2, true, 1}, {99'000, 2, true, 2}};
  for (const auto& row : rows) {
    EXPECT_EQ(session.shown_at(row.now_ms), row.shown) << row.now_ms;
    const PlannedSession::Form form = session.form_of(1, row.shown, row.now_ms);
    EXPECT_EQ(form.final, row.final) << row.now_ms;
    EXPECT_EQ(form.changes, row.changes) << row.now_ms;
  }
  EXPECT_TRUE(session.form_of(0, 1, 60'000).final);  // nothing changes it
}

TEST(DayTrace, WithoutChangesAnEntryRunsUntilTheNextOneComes) {
  const Trace trace(line(R"("type":"A","start":0,"stop":100,"entries":[0,10])"));
  const Plans plans = trace.read();
  const PlannedSession& session = plans[0].at(0);
  EXPECT_FALSE(session.form_of(0, 1, 9'000).final);
  EXPECT_EQ(session.form_of(0, 2, 11'000).changed_ms, 10'000);
  EXPECT_EQ(session.form_of(1, 2, 101'000).changed_ms, 100'000);
}

TEST(DayTrace, IsTakenByAppliancesAndHours) {
  const std::string rest = R"("type":"A","start":10,"stop":20,"entries":[])";
  const Trace trace(line(rest, 9) + line(R"("type":"A","start":7200,"stop":7201,"entries":[])", 4, "late") +
                    line(rest, 4) + "\n" + line(rest, 7));
  EXPECT_EQ(trace.read().size(), 3u);
  const Plans plans = trace.read({.appliances = 2, .hours = 2});
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_EQ(plans[0].size(), 1u);  // of appliance 4, without what begins later
  EXPECT_EQ(plans[1].size(), 1u);
}

TEST(DayTrace, IsRefusedWithFileAndLine) {
  const std::string good = line(R"("type":"A","start":1,"stop":2,"entries":[1])");
  const struct {
    std::string text, refusal;
  } rows[] = {
      {good + "{", ":2: is no JSON: "},
      {"[]", ":1: must be an object"},
      {good + good, R"(:2: session "s" of appliance 0 is there already)"},
      {"\n{\"session\":\"s\"}", R"(:2: "appliance" is missing)"},
      {R"({"appliance":-1,"session":"s"})", R"(:1: "appliance" must be a number from 0 on)"},
      {R"({"appliance":0,"session":7})", R"(:1: "session" must be a text)"},
      {line(R"("start":1,"stop":2,"entries":[])"), R"(:1: "type" is missing)"},
      {line(R"("type":"A","start":"1","stop":2,"entries":[])"), R"(:1: "start" must be a number of seconds)"},
      {line(R"("type":"A","start":1760000000,"stop":2,"entries":[])"), R"(:1: "start" must be seconds from the day's)"},
      {line(R"("type":"A","start":3,"stop":2,"entries":[])"), R"(:1: "stop" is before "start")"},
      {line(R"("type":"A","start":3,"stop":4,"entries":[2])"), ":1: an entry comes before the session's start"},
      {line(R"("type":"A","start":3,"stop":4,"entries":3)"), R"(:1: "entries" must be a list)"},
      {line(R"("type":"A","start":3,"stop":4,"entries":[3],"changes":[[1,4]])"), R"(:1: "changes" names entry 1)"},
      {line(R"("type":"A","start":3,"stop":4,"entries":[4],"changes":[[0,3]])"), ":1: entry 0 changes before it comes"},
      {line(R"("type":"A","start":3,"stop":4,"entries":[4],"changes":[0])"), R"(:1: each of "changes" must be a list)"},
      {"", ": holds no session that begins within 24 h"},
  };
  for (const auto& row : rows) {
    const std::string refusal = Trace(row.text).refusal();
    EXPECT_EQ(refusal.substr(0, row.refusal.size()), row.refusal);
  }
}

TEST(DayTrace, ThatIsNotThereIsNamed) { EXPECT_THROW(read_trace("/nowhere/trace", {}), std::runtime_error); }

TEST(DayComparison, KnowsTheMeanAndTheQuantiles) {
  std::vector<std::uint32_t> ms;
  for (std::uint32_t i = 100; i > 0; --i) ms.push_back(i * 1'000);
  const Ages ages = ages_of(ms);
  EXPECT_EQ(ages.count, 100u);
  EXPECT_DOUBLE_EQ(ages.mean, 50.5);
  EXPECT_EQ(ages.quantiles, (std::array{50.0, 95.0, 99.0}));
  EXPECT_EQ(ages_of({}).mean, 0);
}

TEST(DayComparison, FindsTheBestFixedIntervalAtAsManyPolls) {
  const std::vector<FixedPoint> halves{{4, 5}, {2, 10}, {1, 20}};
  const struct {
    std::vector<FixedPoint> points;
    double polls, age;
  } rows[] = {
      {halves, 2, 10},          {halves, 3, 20.0 / 3},  // age goes with one over the polls
      {halves, 8, 2.5},                                 // beyond the last
      {halves, 0.5, 40},                                //
      {{{4, 9}, {2, 3}}, 3, 3},                         // fewer polls gave less
      {{{1, 5}, {1, 6}}, 1, 5},                         // as many
  };
  for (const auto& row : rows) EXPECT_NEAR(best_fixed_at(row.polls, row.points), row.age, 1e-9) << row.polls;
}

TEST(DayPlan, OfEachModelIsTheSameForTheSameSeed) {
  for (const ArrivalModel model :
       {ArrivalModel::kEven, ArrivalModel::kPoisson, ArrivalModel::kBursts, ArrivalModel::kMixed}) {
    const DayShape shape{.appliances = 1, .sessions = 300, .arrivals = model};
    const auto plan = plan_of(shape, 0, 0), again = plan_of(shape, 0, 0);
    ASSERT_EQ(plan.size(), again.size());
    for (std::size_t i = 0; i < plan.size(); ++i) {
      ASSERT_GE(plan[i].entries, 1u);
      for (std::size_t entry = 0; entry < plan[i].entries; ++entry) {
        ASSERT_EQ(plan[i].appears_ms(entry), again[i].appears_ms(entry));
        ASSERT_LE(plan[i].appears_ms(entry), plan[i].stop_ms());
      }
    }
  }
}

}  // namespace
}  // namespace sessionlogd
