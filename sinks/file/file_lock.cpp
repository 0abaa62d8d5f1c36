#include "sinks/file/file_lock.h"

#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "core/state/sink.h"

namespace sessionlogd {
namespace {

// A line reads "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF". The device is not compared: for some file systems it
// is not the one fstat() gives.
std::string holder_in_proc_locks(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return {};
  const std::string inode = ":" + std::to_string(info.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, type, advisory, access, pid, file;
    words >> number >> type >> advisory >> access >> pid >> file;
    if (type == "FLOCK" && file.ends_with(inode)) return "process " + pid;
  }
  return {};
}

}  // namespace

void lock_or_throw(int fd, const std::string& what, const std::string& told_holder) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) {
      throw std::runtime_error(fmt::format("{} cannot be locked: {}", what, std::generic_category().message(errno)));
    }
    std::string holder = told_holder.empty() ? holder_in_proc_locks(fd) : told_holder;
    if (holder.empty()) holder = "another process";
    throw InUse(
        fmt::format("{} is in use by {}: stop it first, or give this daemon its own state_dir and path", what, holder));
  }
}

}  // namespace sessionlogd
