#include "sinks/file/rotated_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/log_line.h"
#include "sinks/file/crash_point.h"
#include "sinks/file/output_file.h"
#include "sinks/file/owned_fd.h"
#include "sinks/file/rotated_name.h"
#include "sinks/file/zstd_file.h"

namespace sessionlogd {
namespace {

[[noreturn]] void fail(const std::string& path, std::string_view what) {
  throw std::runtime_error(fmt::format("{} {}: {}", path, what, std::generic_category().message(errno)));
}

// Only of this thread; best effort.
void take_lowest_priority() {
  constexpr int kLowestNice = 19, kWhoThread = 1, kIdleClass = 3 << 13;  // linux/ioprio.h
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kLowestNice);
  ::syscall(SYS_ioprio_set, kWhoThread, 0, kIdleClass);
}

// The compressed form looks like the plain one to those who may read it, and to those who look at times.
void copy_attributes(int from, int to, const std::string& path) {
  struct stat info {};
  if (::fstat(from, &info) != 0) fail(path, "cannot be examined");
  [[maybe_unused]] const int not_ours_to_give = ::fchown(to, static_cast<uid_t>(-1), info.st_gid);
  if (::fchmod(to, info.st_mode & 07777) != 0) fail(path, "cannot have its mode");
  const timespec times[2] = {info.st_atim, info.st_mtim};
  ::futimens(to, times);
}

}  // namespace

RotatedKeeper::RotatedKeeper(FileSinkSettings settings, FileOps& ops)
    : settings_(std::move(settings)), ops_(ops), thread_([this] { run(); }) {}

RotatedKeeper::~RotatedKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RotatedKeeper::wake(std::int64_t written) {
  {
    const std::lock_guard lock(mutex_);
    written_ = written;
  }
  changed_.notify_all();
}

bool RotatedKeeper::stopping() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

void RotatedKeeper::run() {
  take_lowest_priority();
  for (std::int64_t done = 0;;) {
    std::int64_t written = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || written_ != done; });
      if (stop_) return;
      written = written_;
    }
    tidy(written);
    done = written;
  }
}

void RotatedKeeper::tidy(std::int64_t written) {
  try {
    for (const std::string& left : list_unfinished(settings_.path)) ops_.unlink(left.c_str());
    remove_oldest(written);
    if (settings_.rotate.compress) compress_all(written);
    failing_ = false;
  } catch (const std::exception& error) {
    if (!std::exchange(failing_, true))
      log_warn({.sink = "file:" + settings_.path}, "rotated files stay as they are until the next rotation: {}",
               error.what());
  }
}

void RotatedKeeper::remove_oldest(std::int64_t written) {
  if (!settings_.rotate.keep) return;
  const std::vector<RotatedFile> files = list_rotated(settings_.path);
  std::set<std::int64_t> numbers;
  for (const RotatedFile& file : files) numbers.insert(file.sequence);
  while (numbers.size() > *settings_.rotate.keep && *numbers.begin() < written) {
    for (const RotatedFile& file : files) {
      if (file.sequence != *numbers.begin()) continue;
      if (ops_.unlink(file.path.c_str()) != 0) fail(file.path, "cannot be removed");
      crash_point("keep.removed");
      log_info({.sink = "file:" + settings_.path}, "removed {}: rotate.keep = {}", file.path, *settings_.rotate.keep);
    }
    numbers.erase(numbers.begin());
  }
}

// The newest rotated one stays plain: shippers may still be reading it.
void RotatedKeeper::compress_all(std::int64_t written) {
  const std::vector<RotatedFile> files = list_rotated(settings_.path);
  for (const RotatedFile& file : files) {
    if (file.compressed || file.sequence >= written || file.sequence == files.back().sequence) continue;
    if (stopping() || !compress_one(file.path)) return;
  }
}

// false: we are stopping.
bool RotatedKeeper::compress_one(const std::string& plain) {
  const std::string whole = plain + std::string(kCompressedEnding);
  const OwnedFd from(ops_.open(plain.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0));
  if (!from) fail(plain, "cannot be opened");
  if (std::filesystem::exists(whole)) {  // we were killed before the plain one was removed
    if (!same_content(from.get(), whole, [this] { return stopping(); }))
      return stopping() ? false : throw std::runtime_error(fmt::format("{} does not hold what {} does", whole, plain));
  } else if (!compress_to(from.get(), whole)) {
    return false;
  }
  sync_directory_of(whole, ops_);
  crash_point("compress.named");
  // From here on the compressed form is durable.
  if (ops_.unlink(plain.c_str()) != 0) fail(plain, "cannot be removed");
  crash_point("compress.removed");
  return true;
}

bool RotatedKeeper::compress_to(int from, const std::string& whole) {
  const std::string part = whole + std::string(kUnfinishedEnding);
  const auto stop = [this] { return stopping(); };
  const OwnedFd to(ops_.open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) fail(part, "cannot be made");
  crash_point("compress.begun");
  try {
    if (!compress(from, to.get(), ops_, stop) || !same_content(from, part, stop)) {
      ops_.unlink(part.c_str());
      if (stopping()) return false;
      throw std::runtime_error(part + " does not hold what was written to it: is this disk or memory sound?");
    }
    copy_attributes(from, to.get(), part);
    if (ops_.fsync(to.get()) != 0) fail(part, "cannot be synced");
    crash_point("compress.written");
    if (ops_.rename(part.c_str(), whole.c_str()) != 0) fail(part, "cannot be renamed");
  } catch (...) {
    ops_.unlink(part.c_str());
    throw;
  }
  crash_point("compress.renamed");
  return true;
}

}  // namespace sessionlogd
