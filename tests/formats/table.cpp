// In place of sinks/formats/table.cpp: the formats that are shipped, and the one that is not.
#include "sinks/formats/cef.h"
#include "sinks/formats/ecs.h"
#include "sinks/formats/ocsf.h"
#include "sinks/formats/otlp.h"
#include "sinks/formats/rfc5424.h"
#include "tests/formats/plain_format.h"

namespace sessionlogd {

std::span<const Format* const> formats() {
  static constexpr const Format* kFormats[] = {&kEcsFormat,  &kCefFormat,  &kRfc5424Format,
                                               &kOtlpFormat, &kOcsfFormat, &test::kPlainFormat};
  return kFormats;
}

}  // namespace sessionlogd
