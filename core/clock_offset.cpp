#include "core/clock_offset.h"

#include <algorithm>

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

milliseconds since_epoch(Instant at) { return std::chrono::seconds(at.seconds) + milliseconds(at.nanos / 1'000'000); }

}  // namespace

ClockOffset::Change ClockOffset::heard(std::int64_t date, Instant sent, Instant received) {
  const milliseconds second = std::chrono::seconds(date);
  const milliseconds least = second - since_epoch(received);
  const milliseconds most = second + std::chrono::seconds(1) - since_epoch(sent);
  if (least > most) return Change::kNone;  // our own clock was set back meanwhile
  heard_ = true;
  offset_ = std::clamp(offset_, least, most);
  const bool wrong = std::chrono::abs(offset_) > (is_wrong_ ? milliseconds(kWell) : milliseconds(kWrong));
  if (wrong == is_wrong_) return Change::kNone;
  is_wrong_ = wrong;
  return wrong ? Change::kBegins : Change::kEnds;
}

}  // namespace sessionlogd
