// Files end and begin: by our own rotation, and by what other programs do to the output while we write and while we are
// down.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "sinks/file/file_sink.h"
#include "sinks/file/rotated_name.h"
#include "sinks/formats/ecs.h"
#include "tests/sinks/captured_log.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::batch_of;
using test::CapturedLog;
using test::CountingState;
using test::event_line;
using test::read_text;
using testing::AllOf;
using testing::HasSubstr;

// The clock and the failures are the test's.
class SteeredOps : public FileOps {
 public:
  std::chrono::system_clock::time_point now() override { return clock; }
  int rename(const char* from, const char* to) override { return fails(rename_error) ? -1 : FileOps::rename(from, to); }
  int open(const char* path, int flags, mode_t mode) override {
    return (flags & O_CREAT) != 0 && fails(create_error) ? -1 : FileOps::open(path, flags, mode);
  }
  int fsync(int fd) override { return fails(fsync_error) ? -1 : FileOps::fsync(fd); }
  ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) override {
    if (write_error == 0) return FileOps::pwritev(fd, pieces, count, offset);
    const iovec half{pieces[0].iov_base, pieces[0].iov_len / 2};
    FileOps::pwritev(fd, &half, 1, offset);
    errno = write_error;
    return -1;
  }

  std::chrono::system_clock::time_point clock{1'795'293'672s};
  int rename_error = 0, create_error = 0, fsync_error = 0, write_error = 0;

 private:
  static bool fails(int error) {
    if (error != 0) errno = error;
    return error != 0;
  }
};

class FileSinkRotation : public testing::Test {
 protected:
  FileSinkRotation() {
    settings.rotate = {.size_bytes = std::nullopt, .every = std::nullopt, .keep = std::nullopt, .compress = false};
  }

  void start() {
    sink.reset();
    state = CountingState();
    sink = std::make_unique<FileSink>(dir / "state", settings, kEcsFormat, ops);
    sink->recover(state);
  }

  // The next `count` entries of session 1.
  Result<void> commit(std::uint64_t count) {
    const Batch batch = batch_of(1, next_, count);
    Result<void> done = sink->commit({&batch, 1});
    if (done) next_ += count;
    return done;
  }

  // Every line of every file there is, in order of their numbers; checked for order and repetition.
  std::uint64_t written() const {
    std::string all;
    for (const RotatedFile& file : list_rotated(settings.path)) all += read_text(file.path);
    if (fs::exists(dir / "moved")) all += read_text(dir / "moved");
    const CountingState counted = test::count_output(all + read_text(settings.path));
    EXPECT_TRUE(counted.complaints().empty()) << counted.complaints().front();
    return counted.count(1);
  }

  std::vector<std::string> rotated() const {
    std::vector<std::string> names;
    for (const RotatedFile& file : list_rotated(settings.path))
      names.push_back(fs::path(file.path).filename().string());
    return names;
  }

  test::TempDir dir;
  SteeredOps ops;
  FileSinkSettings settings{.path = dir / "events.ndjson"};
  CountingState state;
  std::unique_ptr<FileSink> sink;
  std::uint64_t next_ = 0;
  const std::size_t line_ = event_line(1, 0).size();
};

// A line of either system's end, in colours.
constexpr const char* kForeign = "a line of somebody else\na \x1b[31mred\x1b[0m one\r\n";

TEST_F(FileSinkRotation, LeavesTheLinesOfAnotherProgramAndGoesOnInANewFile) {
  CapturedLog log;
  start();
  ASSERT_TRUE(commit(2));
  std::ofstream(settings.path, std::ios::app) << kForeign;
  ASSERT_TRUE(commit(1));
  ASSERT_EQ(rotated().size(), 1u);
  EXPECT_EQ(read_text(list_rotated(settings.path).front().path), batch_of(1, 0, 2).events + kForeign);
  EXPECT_EQ(read_text(settings.path), batch_of(1, 2, 1).events);
  EXPECT_THAT(log.text(), HasSubstr("of another program stand behind byte"));
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(rotated().size(), 1u) << "once";
}

// It writes in blocks, or much at once: what is behind its first line is on its way.
TEST_F(FileSinkRotation, LeavesALineOfAnotherProgramWhateverStandsBehindIt) {
  for (const std::string& behind : {std::string("half a li"), std::string("\x01"), std::string(2u << 20, 'x')}) {
    SCOPED_TRACE(behind.size());
    start();
    ASSERT_TRUE(commit(1));
    const std::string ours = read_text(settings.path);
    std::ofstream(settings.path, std::ios::app) << kForeign << behind;
    ASSERT_TRUE(commit(1));
    EXPECT_EQ(read_text(list_rotated(settings.path).back().path), ours + kForeign + behind);
  }
}

TEST_F(FileSinkRotation, LeavesTheLinesOfAnotherProgramAtAStartToo) {
  CapturedLog log;
  start();
  ASSERT_TRUE(commit(2));
  std::ofstream(settings.path, std::ios::app) << kForeign;
  start();
  ASSERT_EQ(rotated().size(), 1u);
  EXPECT_EQ(read_text(list_rotated(settings.path).front().path), batch_of(1, 0, 2).events + kForeign);
  EXPECT_THAT(log.text(), HasSubstr("44 bytes of another program stand behind byte"));
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(read_text(settings.path), batch_of(1, 2, 1).events);
  start();
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(rotated().size(), 1u) << "once";
  EXPECT_EQ(read_text(settings.path), batch_of(1, 2, 2).events);
}

TEST_F(FileSinkRotation, WritesOverWhatWasTornBehindItsLastLineAndSaysSoOnce) {
  CapturedLog log;
  start();
  ASSERT_TRUE(commit(2));
  for (const std::string& torn :
       {std::string("no end of a line"), std::string("\x01 binary\n"), std::string(10, '\0')}) {
    std::ofstream(settings.path, std::ios::app) << torn;
    ASSERT_TRUE(commit(1));
  }
  EXPECT_TRUE(rotated().empty());
  EXPECT_EQ(written(), 5u);
  const std::string said = "that are no line of text stand behind byte";
  EXPECT_THAT(log.text(), HasSubstr("16 bytes " + said));
  EXPECT_EQ(log.text().find(said), log.text().rfind(said)) << log.text();
}

TEST_F(FileSinkRotation, EndsWhenItsStateIsRemovedUnderIt) {
  start();
  ASSERT_TRUE(commit(1));
  fs::rename(dir / "state", dir / "state.away");
  const Error error = commit(1).error();
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_THAT(error.detail, AllOf(HasSubstr("was removed or replaced"), HasSubstr("state rebuild")));
  EXPECT_EQ(read_text(settings.path), batch_of(1, 0, 1).events) << "nothing is written that nobody knows of later";
}

TEST_F(FileSinkRotation, EndsAFileBeforeItGrowsTooLarge) {
  settings.rotate.size_bytes = 3 * line_;
  start();
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(commit(1));
  EXPECT_EQ(rotated(), (std::vector<std::string>{"events-000001-20261121T204112Z.ndjson",
                                                 "events-000002-20261121T204112Z.ndjson"}));
  EXPECT_EQ(fs::file_size(settings.path), 2 * line_);
  ASSERT_TRUE(commit(20)) << "a commit stays whole";
  EXPECT_EQ(fs::file_size(settings.path), 20 * line_);
  EXPECT_EQ(fs::status(settings.path).permissions(), static_cast<fs::perms>(0640));
  EXPECT_EQ(written(), 28u);
  start();
  EXPECT_EQ(state.count(1), 28u);
  EXPECT_EQ(state.deliveries(), 0u);
}

TEST_F(FileSinkRotation, EndsAFileThatIsOldEnoughAlsoAcrossAStart) {
  settings.rotate.every = 24h;
  start();
  ASSERT_TRUE(commit(1));
  ops.clock += 23h;
  start();
  ASSERT_TRUE(commit(1));
  EXPECT_TRUE(rotated().empty());
  ops.clock += 1h;
  ASSERT_TRUE(commit(0));
  EXPECT_EQ(rotated().size(), 1u);
  ops.clock += 24h;
  ASSERT_TRUE(commit(0));
  EXPECT_EQ(rotated().size(), 1u) << "an empty file is not ended";
  EXPECT_EQ(written(), 2u);
}

TEST_F(FileSinkRotation, WritesOnWhenItCannotRename) {
  settings.rotate.size_bytes = 1;
  start();
  ops.rename_error = EACCES;
  CapturedLog log;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(commit(1));
  EXPECT_EQ(rotated().size(), 0u);
  EXPECT_EQ(log.count("cannot rotate"), 1u);
  ops.rename_error = 0;
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(rotated().size(), 1u);
  EXPECT_EQ(written(), 4u);
}

TEST_F(FileSinkRotation, WaitsWhenItCannotMakeTheNextFile) {
  settings.rotate.size_bytes = 1;
  start();
  ASSERT_TRUE(commit(1));
  for (const int error : {ENOSPC, EDQUOT, EROFS, EMFILE, EACCES}) {
    ops.create_error = error;
    const Result<void> failed = commit(1);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, ErrorKind::kTryLater) << failed.error().detail;
    EXPECT_THAT(failed.error().detail, HasSubstr(settings.path));
  }
  ops.create_error = 0;
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(rotated().size(), 1u);
  EXPECT_EQ(written(), 2u);
}

TEST_F(FileSinkRotation, EndsTheDaemonWhenTheDirectoryCannotBeSynced) {
  settings.rotate.size_bytes = 1;
  start();
  ASSERT_TRUE(commit(1));
  ops.fsync_error = EIO;
  EXPECT_EQ(commit(1).error().kind, ErrorKind::kRefused);
  ops.fsync_error = 0;
  EXPECT_EQ(commit(1).error().kind, ErrorKind::kRefused) << "it is not tried again";
  start();
  EXPECT_EQ(state.count(1), 1u);
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(written(), 2u);
}

TEST_F(FileSinkRotation, GoesOnInANewFileWhenTheOutputWasRenamed) {
  start();
  ASSERT_TRUE(commit(2));
  fs::rename(settings.path, dir / "moved");
  CapturedLog log;
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(log.count("was renamed"), 1u);
  EXPECT_EQ(read_text(settings.path), event_line(1, 2));
  EXPECT_EQ(written(), 3u);
  start();
  EXPECT_EQ(state.count(1), 3u);
}

TEST_F(FileSinkRotation, TakesTheEmptyFileThatALogRotationMadeForIt) {
  start();
  ASSERT_TRUE(commit(2));
  fs::rename(settings.path, dir / "moved");
  test::write_text(settings.path, "");
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(written(), 3u);
}

TEST_F(FileSinkRotation, ReopensAtOnceWhenTold) {
  start();
  ASSERT_TRUE(commit(2));
  sink->reopen();
  EXPECT_EQ(fs::file_size(settings.path), 2 * line_) << "nothing was moved, nothing happens";
  fs::rename(settings.path, dir / "moved");
  sink->reopen();
  EXPECT_EQ(fs::file_size(settings.path), 0u);
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(written(), 3u);
}

TEST_F(FileSinkRotation, SaysLoudlyThatTheOutputWasRemovedAndGoesOn) {
  start();
  ASSERT_TRUE(commit(2));
  fs::remove(settings.path);
  CapturedLog log;
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(log.count("was removed"), 1u);
  EXPECT_EQ(read_text(settings.path), event_line(1, 2));
  start();
  EXPECT_EQ(state.count(1), 3u);
}

TEST_F(FileSinkRotation, NeverWritesToAFileThatIsNotItsOwn) {
  start();
  ASSERT_TRUE(commit(1));
  fs::rename(settings.path, dir / "moved");
  test::write_text(settings.path, "precious\n");
  EXPECT_EQ(commit(1).error().kind, ErrorKind::kTryLater);
  EXPECT_EQ(read_text(settings.path), "precious\n");
  fs::remove(settings.path);
  test::write_text(dir / "target", "");
  fs::create_symlink(dir / "target", settings.path);
  const Result<void> link = commit(1);
  EXPECT_EQ(link.error().kind, ErrorKind::kTryLater);
  EXPECT_THAT(link.error().detail, HasSubstr("symbolic link"));
  fs::remove(settings.path);
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(read_text(dir / "target"), "");
  EXPECT_EQ(written(), 2u);
}

// Whoever follows the file may have seen a part of the commit there: it must end there.
TEST_F(FileSinkRotation, FinishesACommitInTheFileItBeganIn) {
  settings.rotate.size_bytes = 1 << 20;
  start();
  ASSERT_TRUE(commit(1));
  ops.write_error = ENOSPC;
  ASSERT_FALSE(commit(4));
  ops.write_error = 0;
  fs::rename(settings.path, dir / "moved");
  ASSERT_TRUE(commit(4));
  EXPECT_FALSE(fs::exists(settings.path));
  EXPECT_EQ(fs::file_size(dir / "moved"), 5 * line_);
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(written(), 6u);
}

TEST_F(FileSinkRotation, FinishesARenamedFileAtTheNextStart) {
  start();
  ASSERT_TRUE(commit(2));
  sink.reset();
  test::append_text(settings.path, event_line(1, 2) + "torn");
  fs::rename(settings.path, dir / "moved");
  start();
  EXPECT_EQ(state.count(1), 3u);
  next_ = 3;
  ASSERT_TRUE(commit(1));
  EXPECT_EQ(written(), 4u);
}

// As a start finds it after a kill between the renaming and the first line in the next file.
TEST_F(FileSinkRotation, GoesOnAfterAKillWithinARotation) {
  for (const bool next_made : {false, true}) {
    start();
    ASSERT_TRUE(commit(2));
    sink.reset();
    fs::rename(settings.path, rotated_name(settings.path, next_made ? 2 : 1, ops.clock));
    if (next_made) test::write_text(settings.path, "");
    start();
    EXPECT_EQ(state.count(1), next_);
    ASSERT_TRUE(commit(1));
    EXPECT_EQ(written(), next_);
    EXPECT_EQ(fs::status(settings.path).permissions(), static_cast<fs::perms>(0640));
  }
  EXPECT_EQ(rotated().size(), 2u);
}

TEST_F(FileSinkRotation, ReadsAllLaterFilesWithAnOlderState) {
  settings.rotate.size_bytes = 3 * line_;
  for (const bool compress : {false, true}) {
    SCOPED_TRACE(compress);
    settings.rotate.compress = compress;
    start();
    ASSERT_TRUE(commit(1));
    sink.reset();
    fs::copy(dir / "state", dir / "backup");
    start();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(commit(1));
    sink.reset();
    if (compress) RotatedKeeper(settings, ops).tidy(100);
    EXPECT_EQ(rotated().front().ends_with(".zst"), compress);
    fs::remove_all(dir / "state");
    fs::rename(dir / "backup", dir / "state");

    start();
    EXPECT_EQ(state.count(1), next_);
    EXPECT_TRUE(state.complaints().empty()) << state.complaints().front();
    EXPECT_EQ(state.deliveries(), 10u);
    ASSERT_TRUE(commit(1));
    start();
    EXPECT_EQ(state.count(1), next_);
    EXPECT_EQ(state.deliveries(), 0u);
  }
}

TEST_F(FileSinkRotation, RefusesAGapInTheSequence) {
  settings.rotate.size_bytes = 1;
  start();
  ASSERT_TRUE(commit(1));
  sink.reset();
  fs::copy(dir / "state", dir / "backup");
  start();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(commit(1));
  sink.reset();
  fs::remove_all(dir / "state");
  fs::rename(dir / "backup", dir / "state");
  fs::remove(list_rotated(settings.path)[1].path);
  EXPECT_THROW(start(), StateMismatch);
}

}  // namespace
}  // namespace sessionlogd
