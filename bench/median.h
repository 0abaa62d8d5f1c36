#pragma once

#include <algorithm>
#include <vector>

namespace sessionlogd {

// The upper one of an even number.
inline double median(std::vector<double> of) {
  const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
  std::nth_element(of.begin(), middle, of.end());
  return *middle;
}

}  // namespace sessionlogd
