// In place of sinks/formats/table.cpp: the formats that are shipped, and the one that is not.
#include <algorithm>
#include <array>

#include "sinks/formats/shipped.h"
#include "tests/formats/plain_format.h"

namespace sessionlogd {

std::span<const Format* const> formats() {
  static const auto kFormats = [] {
    std::array<const Format*, std::size(kShippedFormats) + 1> all{};
    *std::ranges::copy(kShippedFormats, all.begin()).out = &test::kPlainFormat;
    return all;
  }();
  return kFormats;
}

}  // namespace sessionlogd
