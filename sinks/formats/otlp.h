// Events as logs of the OpenTelemetry protocol in its JSON mapping, one LogsData with one record a line.
//
// The mapping of proto3: 64-bit integers are strings, enums are numbers, and what has its default is left out.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
#pragma once

#include "sinks/formats/formats.h"

namespace sessionlogd {

extern const Format kOtlpFormat;

}  // namespace sessionlogd
