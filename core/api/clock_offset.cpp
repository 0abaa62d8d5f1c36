#include "core/api/clock_offset.h"

#include <algorithm>

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

milliseconds since_epoch(Instant at) { return std::chrono::seconds(at.seconds) + milliseconds(at.nanos / 1'000'000); }

}  // namespace

void ClockOffset::heard(std::int64_t date, Instant sent, Instant received) {
  const milliseconds second = std::chrono::seconds(date);
  const milliseconds least = second - since_epoch(received);
  const milliseconds most = second + std::chrono::seconds(1) - since_epoch(sent);
  if (least > most) return;  // our own clock was set back meanwhile
  heard_ = true;
  offset_ = std::clamp(offset_, least, most);
  is_wrong_ = std::chrono::abs(offset_) > (is_wrong_ ? milliseconds(kWell) : milliseconds(kWrong));
}

}  // namespace sessionlogd
