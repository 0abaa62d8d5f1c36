#include "sinks/file/rotated_keeper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <filesystem>

#include "sinks/file/owned_fd.h"
#include "sinks/file/rotated_name.h"
#include "sinks/file/zstd_file.h"
#include "tests/sinks/captured_log.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;
using test::CapturedLog;
using test::read_text;

std::string unpacked(const std::string& path) {
  ZstdReader reader(path);
  std::string all, piece(1000, '\0');
  while (const std::size_t got = reader.read(piece)) all.append(piece, 0, got);
  return all;
}

class FailingOps : public FileOps {
 public:
  ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) override {
    if (error == 0) return FileOps::pwritev(fd, pieces, count, offset);
    errno = error;
    return -1;
  }
  int fsync(int fd) override {
    if (sync_error == 0) return FileOps::fsync(fd);
    errno = sync_error;
    return -1;
  }
  int error = 0, sync_error = 0;
};

// What becomes durable, and what is removed, in order: "sync NAME", "rename NAME", "unlink NAME".
class RecordingOps : public FileOps {
 public:
  int fsync(int fd) override {
    std::error_code ignored;
    say("sync", fs::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored));
    return FileOps::fsync(fd);
  }
  int rename(const char* from, const char* to) override {
    say("rename", to);
    return FileOps::rename(from, to);
  }
  int unlink(const char* path) override {
    say("unlink", path);
    return FileOps::unlink(path);
  }
  std::vector<std::string> done;

 private:
  void say(std::string_view what, const fs::path& file) {
    done.push_back(std::string(what) + " " + file.filename().string());
  }
};

class RotatedKeeperTest : public testing::Test {
 protected:
  std::string plain(std::int64_t number) const { return rotated_name(settings.path, number, {}); }
  std::string packed(std::int64_t number) const { return plain(number) + ".zst"; }
  static std::string content(std::int64_t number) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += test::event_line(static_cast<std::uint64_t>(number), i);
    return text;
  }
  void make(std::int64_t from, std::int64_t to) const {
    for (std::int64_t number = from; number <= to; ++number) test::write_text(plain(number), content(number));
  }

  test::TempDir dir;
  FailingOps ops;
  FileSinkSettings settings{.path = dir / "events.ndjson"};
};

TEST_F(RotatedKeeperTest, CompressesAllButTheNewestAndWhatIsNotCommitted) {
  make(1, 5);
  RotatedKeeper keeper(settings, ops);
  keeper.tidy(3);
  for (std::int64_t number = 1; number <= 5; ++number) {
    EXPECT_EQ(fs::exists(packed(number)), number < 3) << number;
    EXPECT_EQ(fs::exists(plain(number)), number >= 3) << number;
  }
  keeper.tidy(6);
  EXPECT_TRUE(fs::exists(packed(4)));
  EXPECT_TRUE(fs::exists(plain(5))) << "slow shippers may still read it";
  EXPECT_FALSE(fs::exists(packed(5)));
  for (std::int64_t number = 1; number <= 4; ++number) EXPECT_EQ(unpacked(packed(number)), content(number));
}

TEST_F(RotatedKeeperTest, GivesTheCompressedFormTheModeAndTimeOfThePlainOne) {
  make(1, 2);
  fs::permissions(plain(1), static_cast<fs::perms>(0604));
  const auto time = fs::file_time_type::clock::now() - std::chrono::hours(48);
  fs::last_write_time(plain(1), time);
  RotatedKeeper(settings, ops).tidy(3);
  EXPECT_EQ(fs::status(packed(1)).permissions(), static_cast<fs::perms>(0604));
  EXPECT_EQ(fs::last_write_time(packed(1)), time);
}

TEST_F(RotatedKeeperTest, RemovesTheOldestBeyondKeep) {
  make(1, 6);
  settings.rotate.keep = 3;
  RotatedKeeper(settings, ops).tidy(7);
  std::vector<std::int64_t> left;
  for (const RotatedFile& file : list_rotated(settings.path)) left.push_back(file.sequence);
  EXPECT_EQ(left, (std::vector<std::int64_t>{4, 5, 6}));
  settings.rotate.keep = 1;
  RotatedKeeper(settings, ops).tidy(5);
  EXPECT_EQ(list_rotated(settings.path).size(), 2u) << "5 and 6 may hold what is not committed";
}

TEST_F(RotatedKeeperTest, GoesOnWhereItWasKilled) {
  make(1, 3);
  test::write_text(packed(1) + ".part", "half");
  RotatedKeeper(settings, ops).tidy(4);
  EXPECT_FALSE(fs::exists(packed(1) + ".part"));
  make(1, 1);  // both forms are there
  RotatedKeeper(settings, ops).tidy(4);
  EXPECT_FALSE(fs::exists(plain(1)));
  EXPECT_EQ(unpacked(packed(1)), content(1));
}

TEST_F(RotatedKeeperTest, NeverRemovesAPlainFileForACompressedOneThatIsNotTheSame) {
  make(1, 3);
  RotatedKeeper(settings, ops).tidy(2);
  test::write_text(plain(1), content(1) + "more\n");
  CapturedLog log;
  RotatedKeeper keeper(settings, ops);
  keeper.tidy(4);
  keeper.tidy(4);
  EXPECT_TRUE(fs::exists(plain(1)));
  EXPECT_EQ(log.count("does not hold what"), 1u) << "said once";
}

TEST_F(RotatedKeeperTest, LeavesThePlainFileWhenThereIsNoRoom) {
  make(1, 2);
  CapturedLog log;
  RotatedKeeper keeper(settings, ops);
  for (int FailingOps::*failure : {&FailingOps::error, &FailingOps::sync_error}) {
    ops.*failure = ENOSPC;
    keeper.tidy(3);
    EXPECT_EQ(read_text(plain(1)), content(1));
    EXPECT_TRUE(list_unfinished(settings.path).empty());
    ops.*failure = 0;
  }
  keeper.tidy(3);
  EXPECT_EQ(unpacked(packed(1)), content(1));
}

TEST_F(RotatedKeeperTest, RemovesThePlainFileWhenTheCompressedOneAndItsNameAreOnTheDisk) {
  make(1, 2);
  RecordingOps recording;
  RotatedKeeper(settings, recording).tidy(3);
  const std::string whole = fs::path(packed(1)).filename().string();
  const std::string directory = fs::path(settings.path).parent_path().filename().string();
  ASSERT_EQ(recording.done.size(), 4u) << testing::PrintToString(recording.done);
  EXPECT_TRUE(recording.done[0].starts_with("sync " + whole)) << recording.done[0];
  EXPECT_EQ(recording.done[1], "rename " + whole);
  EXPECT_EQ(recording.done[2], "sync " + directory);
  EXPECT_EQ(recording.done[3], "unlink " + fs::path(plain(1)).filename().string());
}

TEST(ZstdReader, FindsEveryDamage) {
  test::TempDir dir;
  std::string text;
  for (int i = 0; i < 200; ++i) text += test::event_line(1, i);
  test::write_text(dir / "plain", text);
  test::write_text(dir / "packed", "");
  FileOps ops;
  const OwnedFd from(::open((dir / "plain").c_str(), O_RDONLY)), to(::open((dir / "packed").c_str(), O_RDWR));
  ASSERT_TRUE(compress(from.get(), to.get(), ops, [] { return false; }));
  EXPECT_EQ(unpacked(dir / "packed"), text);
  const std::string whole = read_text(dir / "packed");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    test::write_text(dir / "packed", whole.substr(0, size));
    EXPECT_THROW(unpacked(dir / "packed"), std::runtime_error) << "cut at " << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    test::write_text(dir / "packed", flipped);
    try {
      EXPECT_EQ(unpacked(dir / "packed"), text) << "flipped at " << at;  // a bit that means nothing
    } catch (const std::runtime_error&) {
    }
  }
}

}  // namespace
}  // namespace sessionlogd
