#include "sinks/file/state_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "sinks/file/file_lock.h"
#include "sinks/file/storage_error.h"

namespace sessionlogd {
namespace {

[[noreturn]] void fail(const std::string& path, std::string_view what) {
  throw_storage_error(fmt::format("state directory {} {}", path, what), errno);
}

void refuse_network_file_system(int fd, const std::string& path) {
  struct statfs info {};
  if (::fstatfs(fd, &info) != 0) fail(path, "cannot be examined");
  const std::string_view network = network_file_system(static_cast<unsigned long>(info.f_type));
  if (network.empty()) return;
  throw std::runtime_error(fmt::format(
      "state directory {} lies on a network file system ({}), whose locks do not hold: set state_dir to a local one",
      path, network));
}

std::string read_holder(int fd) {
  std::array<char, 256> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  std::string holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return holder.substr(0, holder.find('\n'));
}

// Best effort: only the other process's message would miss it, and a full disk is no reason not to start.
void write_holder(int fd) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::string text = fmt::format("process {} on {}\n", ::getpid(), host.data());
  [[maybe_unused]] const bool written = ::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) > 0;
}

}  // namespace

StateDir::StateDir(std::string path) : path_(std::move(path)) {
  if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) fail(path_, "cannot be made");
  directory_ = OwnedFd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_) fail(path_, "cannot be opened");
  refuse_network_file_system(directory_.get(), path_);

  lock_ = OwnedFd(::openat(directory_.get(), state_names::kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock_) fail(path_, "cannot be locked");
  lock_or_throw(lock_.get(), "state directory " + path_, read_holder(lock_.get()));
  write_holder(lock_.get());
}

bool StateDir::is_there() const {
  struct stat ours {
  }, at_path{};
  if (::fstat(directory_.get(), &ours) != 0 || ::stat(path_.c_str(), &at_path) != 0) return false;
  return ours.st_dev == at_path.st_dev && ours.st_ino == at_path.st_ino && ::access(state_file().c_str(), F_OK) == 0;
}

void StateDir::sync() const {
  if (::fsync(directory_.get()) != 0) fail(path_, "cannot be synced");
}

std::string_view network_file_system(unsigned long magic) {
  switch (static_cast<std::uint32_t>(magic)) {  // values of linux/magic.h and of the kernel's client sources
    case 0x00006969:
      return "NFS";
    case 0x0000517b:
    case 0xff534d42:
    case 0xfe534d42:
      return "SMB";
    case 0x5346414f:
      return "AFS";
    case 0x00c36400:
      return "Ceph";
    case 0x01021997:
      return "9P";
    default:
      return {};
  }
}

}  // namespace sessionlogd
