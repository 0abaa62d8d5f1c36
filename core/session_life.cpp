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
  const bool ended_again = final && final_since_ && stop != stop_;
  stop_ = stop;
  if (!final) {
    final_since_.reset();
    running_at_ = shown.answered;
    settling_reads_ = 0;
  } else if (!final_since_ || ended_again) {
    final_since_ = shown.answered;
    const std::int64_t took_ms = nanoseconds_between(shown.answered, shown.asked).value_or(0) / 1'000'000 + 1;
    final_took_ms_ = static_cast<std::uint32_t>(std::clamp<std::int64_t>(took_ms, 0, UINT32_MAX));
    settling_reads_ = 0;
  }
}

// A stop time after the listing that reported it is no time at all; neither is a missing one, nor the year 1 that .NET
// says for none. It also cannot lie before the session was seen running, whatever the zone of the source is thought to
// be.
Instant SessionLife::settled_at(std::chrono::milliseconds settle) const {
  Instant stopped = stop_ && stop_->seconds > 0 ? std::min(*stop_, *final_since_) : *final_since_;
  if (running_at_) stopped = std::max(stopped, *running_at_);
  return add_nanoseconds(stopped, nanos(settle)).value_or(*final_since_);
}

bool SessionLife::is_last(Instant sent, std::chrono::milliseconds settle) const {
  return final_since_ && sent > *final_since_ && sent >= settled_at(settle);
}

void SessionLife::brought_news(Instant sent, Instant latest, std::chrono::milliseconds settle) {
  if (!is_last(sent, settle)) return;
  const Instant asked =
      add_nanoseconds(*final_since_, -nanos(std::chrono::milliseconds{final_took_ms_})).value_or(sent);
  if (latest <= asked) return;
  running_at_ = sent;
  settling_reads_ = 0;
}

SessionLife::Next SessionLife::after_read(Instant sent, std::chrono::milliseconds settle,
                                          std::chrono::milliseconds first_gap) {
  if (!final_since_) return {Next::Step::kByPace};
  // Sent before the final state was seen: it says nothing about what came with it.
  if (sent <= *final_since_) return {Next::Step::kWait};
  if (is_last(sent, settle)) return {Next::Step::kDone};
  const auto gap = first_gap * (1 << std::min(settling_reads_++, kMostDoublings));
  const auto left = nanoseconds_between(settled_at(settle), sent).value_or(0);
  const auto until_settled = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds{left});
  return {Next::Step::kWait, std::clamp(gap, kShortestGap, std::max(kShortestGap, until_settled))};
}

}  // namespace sessionlogd
