#include "core/session_life.h"

#include <algorithm>

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kShortestGap{100};
constexpr unsigned kMostDoublings = 20;

std::int64_t nanos(std::chrono::milliseconds span) { return std::chrono::nanoseconds(span).count(); }

}  // namespace

void SessionLife::listed(bool final, std::optional<Instant> stop, Shown shown) {
  // Final with another stop time: it ran again and ended since the last listing.
  const Instant stopped = stop.value_or(kNever);
  const bool ended_again = this->final() && final && stopped != stop_;
  stop_ = stopped;
  if (!final) {
    final_since_ = kNever;
    running_at_ = shown.answered;
    settling_reads_ = 0;
  } else if (!this->final() || ended_again) {
    final_asked_ = shown.asked;
    final_since_ = shown.answered;
    settling_reads_ = 0;
  }
}

// A stop time after the listing that reported it is no time at all; neither is a missing one, nor the year 1 that .NET
// says for none. It also cannot lie before the session was seen running, whatever the zone of the source is thought to
// be.
Instant SessionLife::settled_at(std::chrono::milliseconds settle) const {
  const Instant stop = stop_, final_since = final_since_;
  const Instant stopped = std::max<Instant>(stop.seconds > 0 ? std::min(stop, final_since) : final_since, running_at_);
  return add_nanoseconds(stopped, nanos(settle)).value_or(final_since);
}

bool SessionLife::is_last(Instant sent, std::chrono::milliseconds settle) const {
  return final() && sent > final_since_ && sent >= settled_at(settle);
}

void SessionLife::brought_news(Instant sent, Instant latest, std::chrono::milliseconds settle) {
  if (!is_last(sent, settle) || latest <= final_asked_) return;
  running_at_ = sent;
  settling_reads_ = 0;
}

SessionLife::Next SessionLife::after_read(Instant sent, std::chrono::milliseconds settle,
                                          std::chrono::milliseconds first_gap) {
  if (!final()) return {Next::Step::kByPace};
  // Sent before the final state was seen: it says nothing about what came with it.
  if (sent <= final_since_) return {Next::Step::kWait};
  if (is_last(sent, settle)) return {Next::Step::kDone};
  const auto gap = first_gap * (1 << settling_reads_);
  if (settling_reads_ < kMostDoublings) ++settling_reads_;
  const auto left = nanoseconds_between(settled_at(settle), sent).value_or(0);
  const auto until_settled = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds{left});
  return {Next::Step::kWait, std::clamp(gap, kShortestGap, std::max(kShortestGap, until_settled))};
}

}  // namespace sessionlogd
