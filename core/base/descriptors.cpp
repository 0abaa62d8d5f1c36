#include "core/base/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace sessionlogd {

Descriptors Descriptors::raise() {
  // More than this nobody needs, and some hosts have no limit at all.
  constexpr rlim_t kEnough = 1u << 20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return Descriptors(1024);
  rlimit raised = limit;
  raised.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnough));
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return Descriptors(std::min(limit.rlim_cur, kEnough));
}

}  // namespace sessionlogd
