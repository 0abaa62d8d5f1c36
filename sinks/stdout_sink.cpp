#include "sinks/stdout_sink.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <system_error>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

// Without a reader that takes something.
constexpr auto kMostWait = 3s, kMostWaitAtStop = 1s;

// A stop is noticed so soon.
constexpr auto kSlice = 100ms;

// A pipe that can be written to takes so much without blocking. Non-blocking it cannot be made: others may write
// through the same file description.
constexpr std::size_t kPiece = PIPE_BUF;

Error error_of(int error) {
  if (error == EPIPE) return {ErrorKind::kRefused, "standard output: its reader has gone"};
  if (error == EAGAIN) return {ErrorKind::kTryLater, "standard output: its reader takes nothing"};
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO;
  return {full ? ErrorKind::kTryLater : ErrorKind::kRefused,
          fmt::format("standard output cannot be written: {}", std::generic_category().message(error))};
}

}  // namespace

Result<void> StdoutSink::commit(std::span<const Batch> batches) {
  Patience patience(stop_, kMostWait, kMostWaitAtStop);
  std::size_t skip = taken_;
  for (const Batch& batch : batches) {
    const std::string_view rest = std::string_view(batch.events).substr(std::min(skip, batch.events.size()));
    skip -= batch.events.size() - rest.size();
    int error = 0;
    const std::size_t written = write_all(rest, patience, error);
    taken_ += written;
    if (error != 0) return error_of(error);
  }
  taken_ = 0;
  return {};
}

std::size_t StdoutSink::write_all(std::string_view bytes, Patience& patience, int& error) const {
  std::size_t written = 0;
  while (written < bytes.size()) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, patience.slice_ms(kSlice)) > 0) {  // else it timed out or was interrupted
      const ssize_t done = ::write(fd_, bytes.data() + written, std::min(bytes.size() - written, kPiece));
      if (done > 0) {
        written += static_cast<std::size_t>(done);
        patience.renew();
      } else if (done < 0 && errno != EAGAIN && errno != EINTR) {
        error = errno;
        return written;
      }
    }
    if (written < bytes.size() && patience.over()) {
      error = EAGAIN;
      return written;
    }
  }
  return written;
}

}  // namespace sessionlogd
