#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "sinks/file/file_sink.h"
#include "sinks/formats/ecs.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

using test::batch_of;
using test::CountingState;
using test::read_text;
using testing::HasSubstr;

// A disk that misbehaves as told.
class BadDisk : public FileOps {
 public:
  ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) override {
    calls += "w";
    if (interrupted && ++turn % 2 == 1) return fail(EINTR);
    std::size_t asked = 0;
    for (int i = 0; i < count; ++i) asked += pieces[i].iov_len;
    if (asked > room || asked > at_once) {
      const std::size_t size = std::min({room, at_once, pieces[0].iov_len});
      if (size == 0) return fail(write_error);
      const iovec part{pieces[0].iov_base, size};
      return took(FileOps::pwritev(fd, &part, 1, offset));
    }
    return took(FileOps::pwritev(fd, pieces, count, offset));
  }

  int fdatasync(int fd) override {
    calls += "s";
    if (sync_error != 0) return fail(sync_error);
    return FileOps::fdatasync(fd);
  }

  bool interrupted = false;
  std::size_t at_once = SIZE_MAX;
  std::size_t room = SIZE_MAX;
  int write_error = ENOSPC;
  int sync_error = 0;
  std::string calls;

 private:
  ssize_t took(ssize_t size) {
    if (size > 0 && room != SIZE_MAX) room -= static_cast<std::size_t>(size);
    return size;
  }
  static int fail(int error) {
    errno = error;
    return -1;
  }
  int turn = 0;
};

class FileSinkFailureTest : public testing::Test {
 protected:
  void SetUp() override {
    spdlog::set_level(spdlog::level::off);
    start();
  }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  void start() {
    sink.reset();  // as a process that ended
    state = CountingState();
    sink = std::make_unique<FileSink>(dir / "state", FileSinkSettings{.path = path}, kEcsFormat, disk);
    sink->recover(state);
  }

  std::string output() const { return read_text(path); }

  test::TempDir dir;
  BadDisk disk;
  std::string path = dir / "events.ndjson";
  CountingState state;
  std::unique_ptr<FileSink> sink;
  const std::vector<Batch> batches{batch_of(1, 0, 3), batch_of(2, 0, 2)};
  const std::vector<Batch> more{batches[0], batches[1], batch_of(1, 3, 1)};
  const std::string lines = batches[0].events + batches[1].events;
  const std::string more_lines = lines + batch_of(1, 3, 1).events;
};

TEST_F(FileSinkFailureTest, WritesOnAfterShortAndInterruptedWrites) {
  disk.interrupted = true;
  disk.at_once = 7;
  ASSERT_TRUE(sink->commit(batches));
  EXPECT_EQ(output(), lines);
  start();
  EXPECT_EQ(state.count(1), 3u);
}

TEST_F(FileSinkFailureTest, WritesMoreBatchesThanOneCallTakes) {
  std::vector<Batch> many;
  std::string expected;
  for (std::uint64_t session = 0; session < 3000; ++session) {
    many.push_back(batch_of(session, 0, 1));
    expected += many.back().events;
  }
  ASSERT_TRUE(sink->commit(many));
  EXPECT_EQ(output(), expected);
}

TEST_F(FileSinkFailureTest, WaitsForRoomAndWritesAtTheSamePlace) {
  for (const int error : {ENOSPC, EDQUOT, EFBIG, EROFS, EIO}) {
    disk.room = 100;
    disk.write_error = error;
    const Result<void> full = sink->commit(batches);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().kind, ErrorKind::kTryLater);
    EXPECT_THAT(full.error().detail, HasSubstr(path));
    EXPECT_THAT(full.error().detail, HasSubstr(std::generic_category().message(error)));
    EXPECT_EQ(output().size(), 100u);
  }
  disk.room = SIZE_MAX;
  ASSERT_TRUE(sink->commit(more));
  EXPECT_EQ(output(), more_lines);
  start();
  EXPECT_EQ(state.counts(), (std::map<std::uint64_t, std::uint64_t>{{1, 4}, {2, 2}}));
  EXPECT_EQ(state.deliveries(), 0u);
}

TEST_F(FileSinkFailureTest, BlanksTheTornBytesOfAProcessThatEnded) {
  disk.room = batches[0].events.size() + 10;
  ASSERT_FALSE(sink->commit(batches));
  disk.room = SIZE_MAX;
  start();
  EXPECT_EQ(output(), batches[0].events + std::string(9, ' ') + "\n");
  EXPECT_EQ(state.count(1), 3u) << "complete lines count as delivered";
  EXPECT_EQ(state.count(2), 0u);
}

TEST_F(FileSinkFailureTest, NeverSyncsAgainAfterAFailedSync) {
  disk.sync_error = EIO;
  const Result<void> failed = sink->commit(batches);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(failed.error().detail, HasSubstr(std::generic_category().message(EIO)));

  disk.sync_error = 0;
  disk.calls.clear();
  EXPECT_EQ(sink->commit(batches).error().kind, ErrorKind::kRefused);
  EXPECT_EQ(disk.calls, "");
}

TEST_F(FileSinkFailureTest, WritesBackAndSyncsBeforeItBelieves) {
  disk.sync_error = EIO;
  ASSERT_FALSE(sink->commit(batches));
  EXPECT_THROW(start(), std::runtime_error) << "the disk is still broken";

  disk.sync_error = 0;
  disk.calls.clear();
  start();
  EXPECT_EQ(disk.calls, "ws");
  EXPECT_EQ(state.deliveries(), 5u) << "the start before did not commit what it could not sync";
  EXPECT_EQ(output(), lines);
}

// RLIMIT_FSIZE stands for a full disk: SQLite's log finds no room while the output still does.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(FileSinkFailureTest, WaitsForRoomForItsState) {
  std::vector<Batch> large = batches;
  large[1].records.push_back({3, 0, std::string(4 << 20, '9')});
  {
    const SmallFiles small(1 << 20);
    const Result<void> full = sink->commit(large);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().kind, ErrorKind::kTryLater);
    EXPECT_THAT(full.error().detail, HasSubstr("state.db"));
    EXPECT_FALSE(sink->commit(large)) << "nothing is left half done that would stand in the way";
  }
  ASSERT_TRUE(sink->commit(more));
  EXPECT_EQ(output(), more_lines);
  start();
  EXPECT_EQ(state.counts(), (std::map<std::uint64_t, std::uint64_t>{{1, 4}, {2, 2}}));
}

TEST_F(FileSinkFailureTest, FindsEventsWhoseStateFoundNoRoom) {
  std::vector<Batch> large = batches;
  large[1].records.push_back({3, 0, std::string(4 << 20, '9')});
  {
    const SmallFiles small(1 << 20);
    ASSERT_FALSE(sink->commit(large));
  }
  start();
  EXPECT_EQ(state.counts(), (std::map<std::uint64_t, std::uint64_t>{{1, 3}, {2, 2}}));
  EXPECT_EQ(state.deliveries(), 5u);
  EXPECT_EQ(output(), lines);
}

}  // namespace
}  // namespace sessionlogd
