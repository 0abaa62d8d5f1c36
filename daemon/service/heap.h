// The process's memory: how much is resident, and when what was freed is given back to the system. glibc keeps freed
// blocks that lie below others which are in use: after a first read, or a day's busy hour, most of it would stay for
// good.
#pragma once

#include <cstddef>

#include "core/base/clock.h"

namespace sessionlogd {

std::size_t resident_bytes();

// Decides when. What is given back is walked with the allocator locked, some milliseconds for each 100 MiB: so not
// often, and only when the process has grown.
class HeapTrim {
 public:
  static constexpr std::chrono::seconds kNotSooner{30};
  static constexpr std::size_t kGrown = std::size_t{4} << 20;

  bool is_due(SteadyTime now, std::size_t resident);
  // It was done, and so much is left.
  void done(SteadyTime now, std::size_t resident);

 private:
  SteadyTime last_ = SteadyTime::min();
  std::size_t least_ = 0;  // resident since then; 0 = not seen yet
};

}  // namespace sessionlogd
