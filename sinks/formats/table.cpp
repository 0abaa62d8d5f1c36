// The table itself, and nothing else: tests link one of their own instead, with a format more.
#include "sinks/formats/cef.h"
#include "sinks/formats/ecs.h"
#include "sinks/formats/formats.h"
#include "sinks/formats/ocsf.h"
#include "sinks/formats/otlp.h"
#include "sinks/formats/rfc5424.h"

namespace sessionlogd {

std::span<const Format* const> formats() {
  static constexpr const Format* kFormats[] = {&kEcsFormat, &kCefFormat, &kRfc5424Format, &kOtlpFormat, &kOcsfFormat};
  return kFormats;
}

}  // namespace sessionlogd
