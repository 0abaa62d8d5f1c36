#include "core/polling/late_news.h"

namespace sessionlogd {

void LateNews::add(Session session, Instant start, Watched found, Kind kind) {
  waiting_.push({start, session});
  if (kind == Kind::kOpenedAgain) return;
  if (++found_ == kMany + 1) many_wait_until_ = found + kManyWait;
}

LateNews::Session LateNews::take(SteadyTime now, double rate) {
  const Session session = waiting_.top().session;
  waiting_.pop();
  next_at_ = now + std::chrono::duration_cast<SteadyClock::duration>(
                       std::chrono::duration<double>(1.0 / (kShareOfRate * rate)));
  return session;
}

}  // namespace sessionlogd
