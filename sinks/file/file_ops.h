// The system calls whose failures decide what is durable, and the clock that ages files, behind a seam so that tests
// can let them fail.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <chrono>

namespace sessionlogd {

// Each behaves as the system call of the same name: -1 and errno on failure. The compressor calls from its own thread.
class FileOps {
 public:
  virtual ~FileOps() = default;
  virtual ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset);
  virtual int fdatasync(int fd);
  virtual int fsync(int fd);
  virtual int open(const char* path, int flags, mode_t mode);
  virtual int rename(const char* from, const char* to);  // never replaces: EEXIST
  virtual int unlink(const char* path);
  virtual std::chrono::system_clock::time_point now();

  static FileOps& system();
};

}  // namespace sessionlogd
