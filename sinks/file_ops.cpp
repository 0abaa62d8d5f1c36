#include "sinks/file_ops.h"

#include <unistd.h>

namespace sessionlogd {

ssize_t FileOps::pwritev(int fd, const iovec* pieces, int count, off_t offset) {
  return ::pwritev(fd, pieces, count, offset);
}

int FileOps::fdatasync(int fd) { return ::fdatasync(fd); }

FileOps& FileOps::system() {
  static FileOps ops;
  return ops;
}

}  // namespace sessionlogd
