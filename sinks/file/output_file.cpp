#include "sinks/file/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "core/state/sink.h"
#include "sinks/file/crash_point.h"
#include "sinks/file/file_lock.h"
#include "sinks/file/storage_error.h"

namespace sessionlogd {
namespace {

// O_NONBLOCK: a pipe of that name must not hold us up before it is refused; regular files do not care.
constexpr int kOpenFlags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

// UIO_MAXIOV of linux/uio.h.
constexpr std::size_t kMaxPieces = 1024;
// Above 2 MiB a call the page cache costs two to four times as much for a byte (ext4, Linux 6.18).
constexpr std::size_t kMostInACall = 1u << 20;

std::string words(int error) { return std::generic_category().message(error); }

[[noreturn]] void fail(const std::string& path, std::string_view what, int error) {
  throw_storage_error(fmt::format("output {} {}", path, what), error);
}

struct stat examine(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail(path, "cannot be examined", errno);
  return info;
}

gid_t find_group(const std::string& name) {
  std::vector<char> text(1 << 16);
  struct group entry {};
  struct group* found = nullptr;
  const int error = ::getgrnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
  if (found != nullptr) return found->gr_gid;
  throw std::runtime_error(
      fmt::format("sink.group = \"{}\": {}", name, error == 0 ? "there is no such group" : words(error)));
}

constexpr auto kAsItComes = static_cast<gid_t>(-1);

gid_t group_of(const FileSinkSettings& settings) {
  return settings.group.empty() ? kAsItComes : find_group(settings.group);
}

// The group first: before that nobody of the wrong one may read it.
void apply_ownership(int fd, const FileSinkSettings& settings, gid_t group) {
  if (group != kAsItComes && ::fchown(fd, static_cast<uid_t>(-1), group) != 0) {
    fail(settings.path, fmt::format("cannot be given to group {} (is the daemon's user a member?)", settings.group),
         errno);
  }
  if (::fchmod(fd, settings.mode) != 0)
    fail(settings.path, fmt::format("cannot have mode {:04o}", settings.mode), errno);
}

// The pieces behind the first `skip` bytes, as many as one call takes.
std::vector<iovec> rest_of(std::span<const std::string_view> pieces, std::size_t skip) {
  std::vector<iovec> rest;
  std::size_t room = kMostInACall;
  for (const std::string_view piece : pieces) {
    if (skip >= piece.size()) {
      skip -= piece.size();
      continue;
    }
    rest.push_back({const_cast<char*>(piece.data()) + skip, std::min(piece.size() - skip, room)});
    room -= rest.back().iov_len;
    skip = 0;
    if (rest.size() == kMaxPieces || room == 0) break;
  }
  return rest;
}

}  // namespace

OutputFile::OutputFile(std::string path, OwnedFd fd, FileOps& ops)
    : path_(std::move(path)), fd_(std::move(fd)), ops_(&ops) {
  const struct stat info = examine(fd_.get(), path_);
  if (!S_ISREG(info.st_mode)) {
    throw WrongSetting(
        fmt::format("output {} is no regular file: exactly-once needs one that can be read again", path_));
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  lock_or_throw(fd_.get(), "output " + path_);
}

std::optional<OutputFile> OutputFile::open(const std::string& path, FileOps& ops) {
  OwnedFd fd(ops.open(path.c_str(), kOpenFlags, 0));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd && errno == ELOOP)
    throw WrongSetting(fmt::format("output {} is a symbolic link: set sink.path to the file itself", path));
  if (!fd) fail(path, "cannot be opened", errno);
  return OutputFile(path, std::move(fd), ops);
}

OutputFile OutputFile::create(const FileSinkSettings& settings, FileOps& ops) {
  const gid_t group = group_of(settings);
  OwnedFd fd(ops.open(settings.path.c_str(), kOpenFlags | O_CREAT | O_EXCL, 0600));
  if (!fd && errno == ENOENT)
    throw WrongSetting(fmt::format("output {} cannot be made: its directory is not there; make it", settings.path));
  if (!fd) fail(settings.path, "cannot be made", errno);
  crash_point("begin.made");
  try {
    apply_ownership(fd.get(), settings, group);
  } catch (...) {
    ops.unlink(settings.path.c_str());  // or the next start would take it as it is
    throw;
  }
  OutputFile file(settings.path, std::move(fd), ops);
  sync_directory_of(settings.path, ops);
  crash_point("begin.named");
  return file;
}

// Mode and group of a file of another owner are that one's to choose.
void OutputFile::take_over(const FileSinkSettings& settings) {
  if (examine(fd_.get(), path_).st_uid == ::geteuid()) apply_ownership(fd_.get(), settings, group_of(settings));
  sync_directory_of(path_, *ops_);
}

std::uint64_t OutputFile::size() const { return static_cast<std::uint64_t>(examine(fd_.get(), path_).st_size); }

OutputFile::Place OutputFile::place() const {
  struct stat at_path {};
  const bool there = ::lstat(path_.c_str(), &at_path) == 0;
  if (there && at_path.st_ino == inode_ && at_path.st_dev == device_) return Place::kThere;
  return examine(fd_.get(), path_).st_nlink == 0 ? Place::kNowhere : Place::kElsewhere;
}

bool OutputFile::line_ends_at(std::uint64_t offset) const {
  char last = '\n';
  if (offset != 0) read(offset - 1, {&last, 1});
  return last == '\n';
}

std::size_t OutputFile::read(std::uint64_t offset, std::span<char> into) const {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got =
        ::pread(fd_.get(), into.data() + filled, into.size() - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, fmt::format("cannot be read at byte {}", offset + filled), errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Result<void> OutputFile::write(std::uint64_t offset, std::span<const std::string_view> pieces) {
  std::size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();

  std::size_t written = 0;
  while (written < total) {
    const std::vector<iovec> rest = rest_of(pieces, written);
    const ssize_t done =
        ops_->pwritev(fd_.get(), rest.data(), static_cast<int>(rest.size()), static_cast<off_t>(offset + written));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      const std::string why = done == 0 ? "nothing was taken" : words(errno);
      return Error(ErrorKind::kTryLater,
                   fmt::format("output {}: {} of {} bytes written at byte {}: {}", path_, written, total, offset, why));
    }
    written += static_cast<std::size_t>(done);
  }
  return {};
}

Result<void> OutputFile::sync() {
  if (ops_->fdatasync(fd_.get()) == 0) return {};
  return Error(
      ErrorKind::kRefused,
      fmt::format(
          "output {} cannot be synced: {}: which lines are on the disk is unknown until the next start has read them "
          "back; look at the kernel's messages about this disk",
          path_, words(errno)));
}

void sync_directory_of(const std::string& path, FileOps& ops) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const OwnedFd fd(ops.open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  if (!fd) throw_storage_error(fmt::format("the directory {} cannot be opened", directory), errno);
  if (ops.fsync(fd.get()) != 0)
    throw SyncFailed(fmt::format("the directory {} cannot be synced: {}", directory, words(errno)));
}

}  // namespace sessionlogd
