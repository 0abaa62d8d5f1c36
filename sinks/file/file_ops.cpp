#include "sinks/file/file_ops.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace sessionlogd {

ssize_t FileOps::pwritev(int fd, const iovec* pieces, int count, off_t offset) {
  return ::pwritev(fd, pieces, count, offset);
}

int FileOps::fdatasync(int fd) { return ::fdatasync(fd); }

int FileOps::fsync(int fd) { return ::fsync(fd); }

int FileOps::open(const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); }

int FileOps::rename(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // A file system without it: nobody but us makes files of these names, and we hold the lock.
  struct stat there {};
  if (::lstat(to, &there) == 0) {
    errno = EEXIST;
    return -1;
  }
  return ::rename(from, to);
}

int FileOps::unlink(const char* path) { return ::unlink(path); }

std::chrono::system_clock::time_point FileOps::now() { return std::chrono::system_clock::now(); }

FileOps& FileOps::system() {
  static FileOps ops;
  return ops;
}

}  // namespace sessionlogd
