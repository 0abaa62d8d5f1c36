// The two system calls whose failures decide what is durable, behind a seam so that tests can let them fail.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

namespace sessionlogd {

// Both behave as the system calls of the same name: -1 and errno on failure.
class FileOps {
 public:
  virtual ~FileOps() = default;
  virtual ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset);
  virtual int fdatasync(int fd);

  static FileOps& system();
};

}  // namespace sessionlogd
