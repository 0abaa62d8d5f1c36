#include "sinks/file/rotation.h"

namespace sessionlogd {

bool rotation_is_due(const RotateSettings& settings, const OutputPosition& position, std::size_t bytes,
                     std::chrono::system_clock::time_point now) {
  if (position.offset == 0) return false;
  if (settings.size_bytes && bytes != 0 && position.offset + bytes > *settings.size_bytes) return true;
  if (!settings.every || position.begun == 0) return false;
  // A clock that was set back delays the end of a file, and does no more.
  const std::chrono::system_clock::time_point begun{std::chrono::seconds{position.begun}};
  return now - begun >= *settings.every;
}

}  // namespace sessionlogd
