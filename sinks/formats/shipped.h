// The formats that are shipped, in one list: the table is made of it, and the tests' table, which has one more.
#pragma once

#include "sinks/formats/cef.h"
#include "sinks/formats/ecs.h"
#include "sinks/formats/formats.h"
#include "sinks/formats/ocsf.h"
#include "sinks/formats/otlp.h"
#include "sinks/formats/rfc5424.h"

namespace sessionlogd {

// The first is the default.
inline constexpr const Format* kShippedFormats[] = {&kEcsFormat, &kCefFormat, &kRfc5424Format, &kOtlpFormat,
                                                    &kOcsfFormat};

}  // namespace sessionlogd
