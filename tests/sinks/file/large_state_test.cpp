// A start with a state that takes its time: it tells what it does, and can be ended meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "sinks/file/file_sink.h"
#include "sinks/formats/ecs.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

using test::batch_of;
using test::CountingState;
using test::number;
using testing::UnorderedElementsAre;

constexpr std::uint64_t kSessions = 5'000;  // some ten calls for each work

constexpr const char* kChecking = "checking the state";
constexpr const char* kBringing = "bringing the state up to date";
constexpr const char* kReading = "reading the state";

struct Stop {};

// Of schema 3: at the next start all there is to do is done.
class LargeState : public testing::Test {
 protected:
  LargeState() {
    CountingState nothing;
    FileSink sink(state_dir, settings, kEcsFormat);
    sink.recover(nothing);
    std::vector<Batch> batches;
    for (std::uint64_t session = 1; session <= kSessions; ++session) batches.push_back(batch_of(session, 0, 1));
    EXPECT_TRUE(sink.commit(batches));
    test::make_older(database, 3);
  }

  std::int64_t schema() const { return number(database, "PRAGMA user_version"); }
  std::int64_t rows() const { return number(database, "SELECT count(*) FROM state"); }

  test::TempDir dir{test::quick_directory()};
  const std::string state_dir = dir / "state";
  const std::string database = state_dir + "/state.db";
  const FileSinkSettings settings{.path = dir / "events.ndjson"};
};

TEST_F(LargeState, TellsWhatAStartDoes) {
  FileSink sink(state_dir, settings, kEcsFormat);
  std::set<std::string> works;
  int told = 0;
  sink.on_progress([&] {
    works.insert(sink.how_far());
    ++told;
  });
  CountingState state;
  sink.recover(state);
  EXPECT_THAT(works, UnorderedElementsAre(kChecking, kBringing, kReading));
  EXPECT_EQ(sink.how_far(), "");

  const int at_the_start = told;
  std::vector<Batch> batches;
  for (std::uint64_t session = 1; session <= kSessions; ++session) batches.push_back(batch_of(session, 1, 1));
  EXPECT_TRUE(sink.commit(batches));
  EXPECT_EQ(told, at_the_start) << "a commit tells nothing";
}

TEST_F(LargeState, IsLeftAsItIsByAStartThatIsEnded) {
  const struct {
    const char* work;
    std::int64_t schema_after;
  } cases[] = {{kChecking, 3}, {kBringing, 3}, {kReading, 4}};
  FileSink sink(state_dir, settings, kEcsFormat);
  for (const auto& [work, schema_after] : cases) {
    SCOPED_TRACE(work);
    sink.on_progress([&sink, end_at = std::string(work)] {
      if (sink.how_far() == end_at) throw Stop{};
    });
    CountingState ended;
    EXPECT_THROW(sink.recover(ended), Stop);
    EXPECT_EQ(schema(), schema_after);
    EXPECT_EQ(rows(), std::int64_t{kSessions});
  }
  sink.on_progress({});
  CountingState state;
  sink.recover(state);
  EXPECT_EQ(state.counts().size(), kSessions);
  const Batch next = batch_of(1, 1, 1);
  EXPECT_TRUE(sink.commit({&next, 1}));
}

}  // namespace
}  // namespace sessionlogd
