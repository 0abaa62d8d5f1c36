// The table itself, and nothing else: tests link one of their own instead, with a format more.
#include "sinks/formats/cef.h"
#include "sinks/formats/ecs.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

std::span<const Format* const> formats() {
  static constexpr const Format* kFormats[] = {&kEcsFormat, &kCefFormat};
  return kFormats;
}

}  // namespace sessionlogd
