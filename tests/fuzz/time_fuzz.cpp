// Times and time spans of any bytes: what is read is in range, is written as it was read, and can be reckoned with.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/time_zone.h"
#include "core/base/timestamp.h"

namespace {

using namespace sessionlogd;

void require(bool holds) {
  if (!holds) std::abort();
}

std::string written(Instant at) {
  std::string text;
  append_rfc3339(text, at);
  return text;
}

void check_round_trip(Instant at) {
  require(at.nanos < 1'000'000'000);
  const auto again = parse_rfc3339(written(at));
  require(again && again->zoned && again->instant == at);
}

void check_zones(const ReadTime& time) {
  static const ZoneRules kNewYork(TimeZone{"America/New_York", std::nullopt}),
      kTokyo(TimeZone{"Asia/Tokyo", std::nullopt});
  for (const ZoneRules* zone : {&kNewYork, &kTokyo}) check_round_trip(zone->to_utc(time));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = text.find('\n');
  const std::string_view first = text.substr(0, middle), second = middle == text.npos ? text : text.substr(middle + 1);
  const auto time = parse_rfc3339(first);
  if (time) {
    check_round_trip(time->instant);
    check_zones(*time);
  }
  const auto span = parse_time_span(second);
  if (!time || !span) return 0;
  if (const auto end = add_nanoseconds(time->instant, *span)) {
    check_round_trip(*end);
    require(nanoseconds_between(*end, time->instant) == span);
  }
  return 0;
}
