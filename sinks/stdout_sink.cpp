#include "sinks/stdout_sink.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace sessionlogd {
namespace {

// How much of `bytes` was written, all of it unless errno says why not.
std::size_t write_all(int fd, std::string_view bytes) {
  std::size_t written = 0;
  errno = 0;
  while (written < bytes.size()) {
    const ssize_t done = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (done >= 0) {
      written += static_cast<std::size_t>(done);
    } else if (errno == EAGAIN) {  // whoever started us made it non-blocking
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      break;
    }
  }
  return written;
}

Error error_of(int error) {
  if (error == EPIPE) return {ErrorKind::kRefused, "standard output: its reader has gone"};
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO;
  return {full ? ErrorKind::kTryLater : ErrorKind::kRefused,
          fmt::format("standard output cannot be written: {}", std::generic_category().message(error))};
}

}  // namespace

Result<void> StdoutSink::commit(std::span<const Batch> batches) {
  std::size_t skip = taken_;
  for (const Batch& batch : batches) {
    const std::string_view rest = std::string_view(batch.events).substr(std::min(skip, batch.events.size()));
    skip -= batch.events.size() - rest.size();
    const std::size_t written = write_all(fd_, rest);
    const int error = errno;
    taken_ += written;
    if (written < rest.size()) return error_of(error);
  }
  taken_ = 0;
  return {};
}

}  // namespace sessionlogd
