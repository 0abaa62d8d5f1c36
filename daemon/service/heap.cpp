#include "daemon/service/heap.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace sessionlogd {

std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

bool HeapTrim::is_due(SteadyTime now, std::size_t resident) {
  if (least_ == 0) done(now, resident);
  least_ = std::min(least_, resident);
  return now - last_ >= kNotSooner && resident >= least_ + kGrown;
}

void HeapTrim::done(SteadyTime now, std::size_t resident) {
  last_ = now;
  least_ = resident;
}

}  // namespace sessionlogd
