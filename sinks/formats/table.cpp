// The table itself, and nothing else: tests link one of their own instead, with a format more.
#include "sinks/formats/shipped.h"

namespace sessionlogd {

std::span<const Format* const> formats() { return kShippedFormats; }

}  // namespace sessionlogd
