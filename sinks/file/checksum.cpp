#include "sinks/file/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <utility>

namespace sessionlogd {

std::int64_t Checksum::take() {
  return static_cast<std::int64_t>(XXH3_64bits(buffer_.data(), std::exchange(used_, 0)));
}

}  // namespace sessionlogd
