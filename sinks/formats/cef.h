// Events as Common Event Format, CEF:0 (ArcSight's implementation standard), one a line and without a syslog prefix:
// the standard's form for files.
//
//   CEF:0|vendor|product|API version|class|name|severity|rt=... msg=... slHash=...
//
// Keys that begin with "sl" are ours, all others are the standard's. slHash is the last, so a line that was cut short
// has lost it.
#pragma once

#include "sinks/formats/formats.h"

namespace sessionlogd {

extern const Format kCefFormat;

}  // namespace sessionlogd
