// The power is cut: what was written since the last sync is on the disk in part, and names that were made or changed
// since the directory was synced may be as they were. The state's own syncs are SQLite's, which are trusted here.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>

#include "sinks/file/output_line.h"
#include "sinks/formats/ecs.h"
#include "tests/crash/dying_sink.h"
#include "tests/crash/outputs.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

struct PowerIsOff {};

// Remembers of every file what is on the disk for certain, and turns the power off at the n-th call.
class Disk : public FileOps {
 public:
  Disk(long calls_to_live, int sync_error) : calls_(calls_to_live), sync_error_(sync_error) {}

  ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) override {
    tick();
    const std::lock_guard lock(mutex_);
    const ino_t file = remember(fd);
    const ssize_t done = FileOps::pwritev(fd, pieces, count, offset);
    if (done > 0) files_[file].unsynced.emplace_back(offset, done);
    return done;
  }
  int fdatasync(int fd) override {
    tick();
    const std::lock_guard lock(mutex_);
    const ino_t file = remember(fd);
    // As Linux does it: the error is told once, the pages count as clean, and are not on the disk.
    if (sync_error_ != 0 && --syncs_to_fail_ == 0) {
      File& known = files_[file];
      known.unsynced.clear();  // never written, unless somebody writes them again
      known.synced.resize(std::max(known.synced.size(), content_of(fd).size()), '\0');
      errno = sync_error_;
      return -1;
    }
    settle(fd, file);
    return 0;
  }
  int fsync(int fd) override {
    tick();
    const std::lock_guard lock(mutex_);
    struct stat info {};
    ::fstat(fd, &info);
    if (S_ISDIR(info.st_mode)) {
      names_.clear();
    } else {
      settle(fd, remember(fd));
    }
    return 0;
  }
  int rename(const char* from, const char* to) override {
    tick();
    const std::lock_guard lock(mutex_);
    const int done = FileOps::rename(from, to);
    if (done == 0) names_.emplace_back(from, to);
    return done;
  }

  void cut_after(long calls) { calls_ = calls; }

  // What is found after the power came back. Files keep their inodes.
  void come_back(const std::string& directory, std::mt19937_64& random) {
    const std::lock_guard lock(mutex_);
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      struct stat info {};
      if (::lstat(entry.path().c_str(), &info) != 0 || !files_.contains(info.st_ino)) continue;
      const File& file = files_[info.st_ino];
      std::string content = read_text(entry.path().string());
      const std::string before = content;
      std::size_t size = file.synced.size();
      content.replace(0, size, file.synced);
      for (const auto& [offset, bytes] : file.unsynced) {
        // Pages reach the disk in any order; those that did not leave what was there, or NUL.
        for (std::size_t at = static_cast<std::size_t>(offset), end = at + static_cast<std::size_t>(bytes); at < end;) {
          const std::size_t page_end = std::min(end, (at / kPage + 1) * kPage);
          const bool reached = random() % 2 == 0;
          if (reached) size = std::max(size, page_end);
          for (; at < page_end; ++at)
            content[at] = reached ? before[at] : at < file.synced.size() ? file.synced[at] : '\0';
        }
      }
      content.resize(size);
      write_text(entry.path().string(), content);
    }
    // Names in order of their making; the last ones may be as they were.
    for (std::size_t lost = random() % (names_.size() + 1); lost > 0; --lost) {
      const auto& [from, to] = names_.back();
      if (!std::filesystem::exists(from) || std::filesystem::file_size(from) == 0) std::filesystem::rename(to, from);
      names_.pop_back();
    }
  }

 private:
  static constexpr std::size_t kPage = 512;  // smaller than a page: more of them within a test's few bytes

  struct File {
    std::string synced;
    std::vector<std::pair<off_t, ssize_t>> unsynced;
  };

  void tick() {
    if (--calls_ < 0) throw PowerIsOff{};
  }
  static std::string content_of(int fd) {
    struct stat info {};
    ::fstat(fd, &info);
    std::string content(static_cast<std::size_t>(info.st_size), '\0');
    if (::pread(fd, content.data(), content.size(), 0) != info.st_size) throw std::runtime_error("pread");
    return content;
  }
  // A file that is seen for the first time has been there, synced, before.
  ino_t remember(int fd) {
    struct stat info {};
    ::fstat(fd, &info);
    const auto [at, fresh] = files_.try_emplace(info.st_ino);
    if (fresh) at->second.synced = content_of(fd);
    return info.st_ino;
  }
  // What was written since the last sync is on the disk now, and nothing else: of pages whose sync failed nobody knows.
  void settle(int fd, ino_t file) {
    const std::string now = content_of(fd);
    File& known = files_[file];
    if (known.synced.size() < now.size()) known.synced.resize(now.size(), '\0');
    for (const auto& [offset, bytes] : known.unsynced) {
      const auto at = static_cast<std::size_t>(offset), size = static_cast<std::size_t>(bytes);
      known.synced.replace(at, size, now, at, size);
    }
    known.unsynced.clear();
  }

  std::mutex mutex_;
  long calls_;
  const int sync_error_;
  int syncs_to_fail_ = 2;
  std::map<ino_t, File> files_;
  std::vector<std::pair<std::string, std::string>> names_;
};

using Keys = std::set<std::uint64_t>;

Batch batch_of_keys(const Keys& fresh, const Keys& all, std::string_view message) {
  Batch batch = batch_of(1, 0, 0);
  for (const std::uint64_t key : fresh) batch.events += event_line(1, key, message);
  std::string& value = batch.records[0].value = "";
  for (const std::uint64_t key : all) value += std::to_string(key) + " ";
  return batch;
}

// Which entries of session 1 were delivered: pages reach the disk in any order, so there may be holes, which the source
// fills when it is read again.
class KnownKeys : public StateVisitor {
 public:
  void record(std::string_view, const StateRecord& record) override {
    std::istringstream values(record.value);
    for (std::uint64_t key = 0; values >> key;) keys.insert(key);
  }
  void delivered(const Delivered& event) override {
    if (!keys.insert(event.entry_key).second) throw std::logic_error("delivered twice");
  }
  std::vector<Batch> settle() override { return {batch_of_keys({}, keys, "")}; }

  Keys keys;
};

class PowerCut : public testing::Test {
 protected:
  PowerCut() { spdlog::set_level(spdlog::level::off); }
  ~PowerCut() override { spdlog::set_level(spdlog::level::info); }

  // Commits until the power goes off. Returns what was acknowledged.
  static Keys commit_until_off(const SinkPlace& place, Disk& disk, std::mt19937_64& random) {
    Keys acknowledged;
    try {
      KnownKeys state;
      FileSink sink(place.state_dir, place.settings, kEcsFormat, disk);
      sink.recover(state);
      acknowledged = state.keys;
      for (int commit = 0; commit < 12; ++commit) {
        Keys fresh, all = acknowledged;
        for (std::uint64_t key = 0; fresh.size() < 1 + random() % 5; ++key) {
          if (all.insert(key).second) fresh.insert(key);
        }
        const Batch batch = batch_of_keys(fresh, all, std::string(random() % 400, 'p'));
        if (!sink.commit({&batch, 1})) break;
        acknowledged = all;
      }
    } catch (const PowerIsOff&) {
    } catch (const std::runtime_error&) {  // a sync that failed in recovery ends the daemon
    }
    return acknowledged;
  }

  static void expect_whole(const SinkPlace& place, const Keys& acknowledged) {
    KnownKeys state;
    FileSink(place.state_dir, place.settings, kEcsFormat).recover(state);
    Keys written;
    OutputLineReader reader;
    for (const std::string& content : read_outputs(place.settings.path)) {
      std::istringstream lines(content);
      for (std::string line; std::getline(lines, line);) {
        if (line.find_first_not_of(' ') == line.npos) continue;
        const std::string padded = line + std::string(OutputLineReader::kPadding, ' ');
        const auto event = reader.read(padded.data(), line.size());
        ASSERT_TRUE(event) << line;
        ASSERT_TRUE(written.insert(event->entry_key).second) << "twice: " << line;
      }
    }
    ASSERT_EQ(written, state.keys);
    ASSERT_TRUE(std::ranges::includes(written, acknowledged)) << "what was acknowledged is not there";
  }
};

TEST_F(PowerCut, LeavesEverythingThatWasAcknowledged) {
  std::mt19937_64 random(random_seed());
  for (long calls = 0; calls < 60; ++calls) {
    SCOPED_TRACE(calls);
    SinkPlace place;
    place.settings.rotate.size_bytes = 1500;
    place.settings.rotate.compress = false;  // its thread would meet the cut, too
    Disk disk(calls, 0);
    const Keys acknowledged = commit_until_off(place, disk, random);
    disk.come_back(std::filesystem::path(place.settings.path).parent_path().string(), random);
    expect_whole(place, acknowledged);
  }
}

// The page cache still holds what the disk never got: the next start must not believe it before it is written again.
TEST_F(PowerCut, AfterAFailedSyncAndARestart) {
  std::mt19937_64 random(random_seed());
  for (long calls = 0; calls < 40; ++calls) {
    SCOPED_TRACE(calls);
    SinkPlace place;
    place.settings.rotate.compress = false;
    Disk disk(1'000, EIO);
    Keys acknowledged = commit_until_off(place, disk, random);
    disk.cut_after(calls);
    acknowledged.merge(commit_until_off(place, disk, random));
    disk.come_back(std::filesystem::path(place.settings.path).parent_path().string(), random);
    expect_whole(place, acknowledged);
  }
}

}  // namespace
}  // namespace sessionlogd::test
