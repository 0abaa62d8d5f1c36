// A start with a state that takes its time: it tells what it does, can be ended meanwhile, and killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sinks/file/file_journal.h"
#include "sinks/file/file_sink.h"
#include "sinks/formats/ecs.h"
#include "tests/sinks/support.h"
#include "tests/support/seed.h"

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

std::int64_t schema_of(const std::string& database) { return number(database, "PRAGMA user_version"); }

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
    position = FileJournal::open_to_read(database).read_position().value();
    test::make_older(database, 3);
  }

  test::TempDir dir{test::quick_directory()};
  const std::string state_dir = dir / "state";
  const std::string database = state_dir + "/state.db";
  const FileSinkSettings settings{.path = dir / "events.ndjson"};
  OutputPosition position;
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
    EXPECT_EQ(schema_of(database), schema_after);
    EXPECT_EQ(number(database, "SELECT count(*) FROM state"), std::int64_t{kSessions});
  }
  sink.on_progress({});
  CountingState state;
  sink.recover(state);
  EXPECT_EQ(state.counts().size(), kSessions);
  const Batch next = batch_of(1, 1, 1);
  EXPECT_TRUE(sink.commit({&next, 1}));
}

// Opens and reads the state in a process of its own. True: SIGKILL ended it, which `parent` or `tell` sent.
bool is_killed(
    const std::string& database, const StateDatabase::Tell& tell,
    const std::function<void(pid_t)>& parent = [](pid_t) {}) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      CountingState state;
      FileJournal(database, tell).read_rows(state, tell);
      ::_exit(0);
    } catch (...) {
      ::_exit(1);
    }
  }
  parent(child);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

// Of the database and its log, to look at without tidying up what a kill has left.
struct Copy {
  explicit Copy(const std::string& database) {
    for (const char* part : {"", "-wal"}) {
      if (std::filesystem::exists(database + part)) std::filesystem::copy_file(database + part, path + part);
    }
  }

  const test::TempDir dir{test::quick_directory()};
  const std::string path = dir / "state.db";
};

void expect_all_is_known(const std::string& database, const OutputPosition& position) {
  FileJournal journal(database);
  EXPECT_EQ(journal.read_position(), position);
  CountingState state;
  journal.read_rows(state);
  EXPECT_EQ(state.counts().size(), kSessions);
  for (const auto& [session, count] : state.counts()) ASSERT_EQ(count, 1u) << "session " << session;
}

// Later and later within the update, each time on what the kill before has left.
TEST_F(LargeState, LosesNothingWhenItsUpdateIsKilled) {
  int kills = 0;
  for (int last_call = 1;; last_call *= 2) {
    SCOPED_TRACE(last_call);
    const bool killed = is_killed(database, [calls = 0, last_call](std::string_view work) mutable {
      if (work == kBringing && ++calls == last_call) ::raise(SIGKILL);
    });
    expect_all_is_known(Copy(database).path, position);
    if (!killed) break;
    ++kills;
    EXPECT_EQ(schema_of(Copy(database).path), 3);
  }
  EXPECT_GE(kills, 3);
  EXPECT_EQ(schema_of(database), 4);
}

TEST_F(LargeState, LosesNothingWhenItsStartIsKilledAtAnyMoment) {
  using Clock = std::chrono::steady_clock;
  std::mt19937_64 random(test::random_seed());
  const std::string older = dir / "older.db";
  std::filesystem::copy_file(database, older);
  const auto begin = Clock::now();
  ASSERT_FALSE(is_killed(database, {}));
  const std::int64_t usual = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
  for (int round = 0; round < 20; ++round) {
    for (const char* part : {"-wal", "-shm"}) std::filesystem::remove(database + part);
    std::filesystem::copy_file(older, database, std::filesystem::copy_options::overwrite_existing);
    const std::chrono::microseconds life(random() % static_cast<std::uint64_t>(usual));
    is_killed(database, {}, [life](pid_t child) {
      ::usleep(static_cast<useconds_t>(life.count()));
      ::kill(child, SIGKILL);
    });
    expect_all_is_known(Copy(database).path, position);
  }
}

}  // namespace
}  // namespace sessionlogd
