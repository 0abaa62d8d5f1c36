#include "core/entries/source_format.h"

#include <atomic>

namespace sessionlogd {

std::uint64_t next_format_number() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace sessionlogd
