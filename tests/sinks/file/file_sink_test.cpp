#include "sinks/file/file_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sinks/formats/ecs.h"
#include "tests/sinks/captured_log.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;
using test::batch_of;
using test::CapturedLog;
using test::CountingState;
using test::event_line;
using test::read_text;
using testing::HasSubstr;

class FileSinkTest : public testing::Test {
 protected:
  std::unique_ptr<FileSink> open(CountingState& state) {
    auto sink = std::make_unique<FileSink>(state_dir, settings, kEcsFormat);
    sink->recover(state);
    return sink;
  }

  // Opens, commits and closes again.
  void commit(const std::vector<Batch>& batches) {
    CountingState state;
    const auto sink = open(state);
    const Result<void> result = sink->commit(batches);
    ASSERT_TRUE(result) << result.error().detail;
  }

  template <class Exception>
  std::string refusal() {
    CountingState state;
    try {
      open(state);
    } catch (const Exception& error) {
      return error.what();
    }
    return "nothing was thrown";
  }

  test::TempDir dir;
  std::string state_dir = dir / "state";
  FileSinkSettings settings{.path = dir / "events.ndjson"};
};

TEST_F(FileSinkTest, MakesOutputAndStateAtTheFirstStart) {
  CountingState state;
  const auto sink = open(state);
  EXPECT_EQ(read_text(settings.path), "");
  EXPECT_TRUE(fs::exists(state_dir + "/state.db"));
  EXPECT_EQ(fs::status(settings.path).permissions(), static_cast<fs::perms>(0640));
  EXPECT_EQ(fs::status(state_dir).permissions(), static_cast<fs::perms>(0700));
  EXPECT_EQ(state.counts().size(), 0u);
  EXPECT_EQ(sink->name(), "file:" + settings.path);
}

TEST_F(FileSinkTest, GivesBackWhatItCommitted) {
  commit({batch_of(1, 0, 3), batch_of(2, 0, 1)});
  commit({batch_of(1, 3, 2)});

  CountingState state;
  open(state);
  EXPECT_EQ(state.count(1), 5u);
  EXPECT_EQ(state.count(2), 1u);
  EXPECT_EQ(state.deliveries(), 0u) << "committed lines need no reading";
  EXPECT_EQ(read_text(settings.path), batch_of(1, 0, 3).events + batch_of(2, 0, 1).events + batch_of(1, 3, 2).events);
}

TEST_F(FileSinkTest, RemovesTheRowsOfEmptyRecords) {
  commit({batch_of(1, 0, 3)});
  Batch gone;
  gone.source_id = "src";
  gone.records.push_back({1, StateRecord::kSessionPart, ""});
  gone.records.push_back({77, StateRecord::kSessionPart, ""});  // was never there
  commit({gone});

  CountingState state;
  open(state);
  EXPECT_TRUE(state.counts().empty());
}

TEST_F(FileSinkTest, KeepsKeysAndValuesOfAnyBytes) {
  struct Rows : CountingState {
    void record(std::string_view source_id, const StateRecord& record) override {
      rows.emplace_back(source_id, record.session_key, record.part, record.value);
    }
    std::vector<std::tuple<std::string, std::uint64_t, std::int32_t, std::string>> rows;
  };
  Batch batch;
  batch.source_id = "aws-eu";
  batch.records.push_back({~0ull, 5, std::string("\0\xff\n'", 4)});
  batch.records.push_back({0, StateRecord::kSourcePart, std::string(1 << 20, 'x')});
  commit({batch});

  Rows rows;
  FileSink(state_dir, settings, kEcsFormat).recover(rows);
  const std::vector<std::tuple<std::string, std::uint64_t, std::int32_t, std::string>> expected{
      {"aws-eu", ~0ull, 5, std::string("\0\xff\n'", 4)},
      {"aws-eu", 0, StateRecord::kSourcePart, std::string(1 << 20, 'x')}};
  EXPECT_THAT(rows.rows, testing::UnorderedElementsAreArray(expected));
}

TEST_F(FileSinkTest, WritesNoOutputForABatchWithoutEvents) {
  Batch batch = batch_of(1, 0, 0);
  batch.records[0].value = "7";
  commit({batch});
  CountingState state;
  open(state);
  EXPECT_EQ(state.count(1), 7u);
  EXPECT_EQ(read_text(settings.path), "");
}

TEST_F(FileSinkTest, TakesLinesBehindThePositionAsDelivered) {
  commit({batch_of(1, 0, 2)});
  test::append_text(settings.path, batch_of(1, 2, 3).events);
  const std::string before = read_text(settings.path);

  CountingState state;
  open(state);
  EXPECT_EQ(state.count(1), 5u);
  EXPECT_EQ(state.deliveries(), 3u);
  EXPECT_EQ(read_text(settings.path), before);

  CountingState again;
  open(again);
  EXPECT_EQ(again.count(1), 5u);
  EXPECT_EQ(again.deliveries(), 0u) << "what was settled is committed";
}

// Also as the first line, by which the output is recognised.
TEST_F(FileSinkTest, TakesLinesOfManyMebibytes) {
  const std::string large(9u << 20, 'm');
  commit({batch_of(1, 0, 1, large)});
  test::append_text(settings.path, event_line(1, 1, large));
  CountingState state;
  open(state);
  EXPECT_EQ(state.count(1), 2u);
  EXPECT_EQ(state.deliveries(), 1u);
  EXPECT_TRUE(state.complaints().empty());
}

TEST_F(FileSinkTest, GoesOnBehindTornBytes) {
  commit({batch_of(1, 0, 2)});
  const std::string torn = event_line(1, 2).substr(0, 40);
  test::append_text(settings.path, torn);
  commit({batch_of(1, 2, 1)});
  EXPECT_EQ(read_text(settings.path),
            batch_of(1, 0, 2).events + std::string(torn.size() - 1, ' ') + "\n" + event_line(1, 2));
}

TEST_F(FileSinkTest, RefusesOutputWithoutState) {
  test::write_text(settings.path, event_line(1, 0));
  EXPECT_THAT(refusal<StateMismatch>(), HasSubstr("has no state for it"));
  EXPECT_EQ(read_text(settings.path), event_line(1, 0)) << "it must not be touched";
}

TEST_F(FileSinkTest, RefusesAnOutputThatWasCut) {
  commit({batch_of(1, 0, 2)});
  fs::resize_file(settings.path, 10);
  EXPECT_THAT(refusal<StateMismatch>(), HasSubstr("was cut, emptied"));
}

TEST_F(FileSinkTest, RefusesAnOutputThatIsAnotherFileAndLeavesItAlone) {
  commit({batch_of(1, 0, 2)});
  fs::copy_file(settings.path, dir / "copy");
  fs::rename(dir / "copy", settings.path);
  const std::string before = read_text(settings.path);
  EXPECT_THAT(refusal<StateMismatch>(), HasSubstr("is not the file"));
  EXPECT_EQ(read_text(settings.path), before);
}

TEST_F(FileSinkTest, GoesOnInANewFileWhenTheOutputIsGone) {
  commit({batch_of(1, 0, 2)});
  fs::create_directory(dir / "elsewhere");
  fs::rename(settings.path, dir / "elsewhere/moved-away");
  CapturedLog log;
  {
    CountingState state;
    const auto sink = open(state);
    EXPECT_EQ(state.count(1), 2u) << "nothing is delivered again";
    const Batch more = batch_of(1, 2, 1);
    ASSERT_TRUE(sink->commit({&more, 1}));
  }
  EXPECT_THAT(log.text(), HasSubstr("is gone: going on in a new file"));
  EXPECT_EQ(read_text(settings.path), event_line(1, 2));
  CountingState again;
  open(again);
  EXPECT_EQ(again.count(1), 3u);
}

TEST_F(FileSinkTest, FinishesTheFileBeforeWhenThePathWasChanged) {
  commit({batch_of(1, 0, 2)});
  test::append_text(settings.path, event_line(1, 2) + "torn");
  const std::string old_path = settings.path;
  settings.path = dir / "other.ndjson";

  CountingState state;
  open(state);
  EXPECT_EQ(state.count(1), 3u);
  EXPECT_EQ(read_text(settings.path), "");
  EXPECT_EQ(read_text(old_path), batch_of(1, 0, 3).events + "   \n");
}

// As one has that got the inode of an output that was removed while it was empty.
TEST_F(FileSinkTest, LeavesAFileAloneInWhichNothingIsItsOwn) {
  const std::string foreign[] = {"a line\nits unfinished end", "{\"a\":1}\n", "{\"a\"", "PK\3\4"};
  for (const std::string& text : foreign) {
    commit({});
    test::append_text(settings.path, text);
    EXPECT_THAT(refusal<StateMismatch>(), HasSubstr("do not begin with an event")) << text;
    EXPECT_EQ(read_text(settings.path), text);

    fs::rename(settings.path, dir / "other.log");
    commit({batch_of(1, 0, 1)});
    EXPECT_EQ(read_text(dir / "other.log"), text);
    EXPECT_EQ(read_text(settings.path), event_line(1, 0));
    fs::remove_all(state_dir);
    fs::remove(settings.path);
  }
}

TEST_F(FileSinkTest, TakesUpAFileWhoseFirstLineWasTorn) {
  const std::string zeros(100, '\0'), line = event_line(1, 0);
  for (const std::string& torn : {line.substr(0, 3), line.substr(0, 100), line.substr(0, line.size() - 1), zeros}) {
    commit({});
    test::append_text(settings.path, torn);
    commit({batch_of(1, 0, 1)});
    EXPECT_EQ(read_text(settings.path), std::string(torn.size() - 1, ' ') + "\n" + event_line(1, 0));
    fs::remove_all(state_dir);
    fs::remove(settings.path);
  }
}

TEST_F(FileSinkTest, FollowsAnOutputThatWasRenamed) {
  commit({batch_of(1, 0, 2)});
  fs::rename(settings.path, dir / "renamed.ndjson");
  settings.path = dir / "renamed.ndjson";
  commit({batch_of(1, 2, 1)});
  EXPECT_EQ(read_text(settings.path), batch_of(1, 0, 3).events);
}

TEST_F(FileSinkTest, RefusesWhatIsNoRegularFile) {
  fs::create_symlink(dir / "target", settings.path);
  EXPECT_THAT(refusal<std::runtime_error>(), HasSubstr("symbolic link"));
  fs::remove(settings.path);
  ASSERT_EQ(::mkfifo(settings.path.c_str(), 0600), 0);
  EXPECT_THAT(refusal<std::runtime_error>(), HasSubstr("no regular file"));
  fs::remove(settings.path);
  fs::create_directory(settings.path);
  EXPECT_THAT(refusal<std::runtime_error>(), HasSubstr("Is a directory"));
}

TEST_F(FileSinkTest, SaysWhatIsMissing) {
  state_dir = dir / "no/such/parent";
  EXPECT_THAT(refusal<std::runtime_error>(), HasSubstr(state_dir));
  state_dir = dir / "state";
  settings.group = "no-such-group";
  EXPECT_THAT(refusal<std::runtime_error>(), HasSubstr("no-such-group"));
  EXPECT_FALSE(fs::exists(settings.path));
}

// A second process is what the locks are for, and one that is killed leaves none behind.
TEST_F(FileSinkTest, NamesTheProcessThatHoldsTheLock) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    CountingState state;
    const auto sink = open(state);
    [[maybe_unused]] const ssize_t told = ::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);

  EXPECT_THAT(refusal<InUse>(), HasSubstr("process " + std::to_string(holder)));
  state_dir = dir / "another-state";
  EXPECT_THAT(refusal<InUse>(),
              HasSubstr("output " + settings.path + " is in use by process " + std::to_string(holder)));

  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  state_dir = dir / "state";
  commit({batch_of(1, 0, 1)});
}

TEST_F(FileSinkTest, EndsWhenItsOutputIsCutUnderIt) {
  CountingState state;
  const auto sink = open(state);
  const Batch first = batch_of(1, 0, 2), second = batch_of(1, 2, 1);
  ASSERT_TRUE(sink->commit({&first, 1}));
  fs::resize_file(settings.path, 0);
  Result<void> cut = sink->commit({&second, 1});
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(cut.error().detail, HasSubstr("copytruncate"));
}

}  // namespace
}  // namespace sessionlogd
