#include "core/polling/source_standing.h"

#include <algorithm>

namespace sessionlogd {
namespace {

std::optional<Instant> on_our_clock(std::optional<SteadyTime> at, SteadyTime now, Instant system) {
  if (!at) return std::nullopt;
  return add_nanoseconds(system, std::chrono::nanoseconds(*at - now).count());
}

}  // namespace

SourceStanding::SourceStanding(const Parts& parts)
    : parts_(parts), identity_(std::make_shared<const SourceIdentity>(SourceIdentity::of(parts.settings))) {}

SourceView SourceStanding::view(std::optional<SteadyTime> read_at) const {
  const SteadyTime now = SteadyClock::now();
  const Instant system = system_now();
  SourceView view;
  view.identity = identity_;
  view.condition = condition();
  view.error = fault();

  view.counts = parts_.counters.counts();
  view.sessions = parts_.table.phases();
  view.sessions_failing = parts_.reads.failing();
  const VerifyPlace& verify = parts_.table.source().verify;
  view.verified = verify.last;
  view.verified.late += verify.tally.late;
  view.verified.could_not += verify.tally.could_not;
  view.verified_at = verify.ended;
  view.requests = parts_.api.requests();
  view.response_p50 = parts_.api.response_times().quantile(0.5);
  view.response_p95 = parts_.api.response_times().quantile(0.95);

  view.last_poll = on_our_clock(read_at, now, system);
  view.last_listing = on_our_clock(parts_.finder.listed_at(), now, system);
  view.lag = lag(now);
  if (const auto due = parts_.schedule.next_due()) view.lateness = std::max(now - *due, SteadyClock::duration::zero());
  view.entry_age = parts_.pace.mean_age().value_or(std::chrono::milliseconds{0});
  view.pace = parts_.pace.shortfall();
  view.clock_offset = parts_.api.clock_offset();
  if (const auto wait = parts_.api.waits()) {
    view.waiting_until = on_our_clock(wait->until, now, system);
    view.waiting = wait->until - now;
    view.waiting_for = wait->what;
  }
  view.breaker_until = on_our_clock(parts_.api.breaker_until(), now, system);
  view.token_expires = on_our_clock(parts_.api.token_expires(), now, system);
  if (const auto expires = parts_.api.certificate_expires()) view.certificate_expires = Instant{*expires, 0};
  return view;
}

SourceCondition SourceStanding::condition() const {
  if (!parts_.health.lists() && parts_.api.is_parked()) return SourceCondition::kParked;
  if (parts_.api.breaker_until()) return SourceCondition::kOpenBreaker;
  if (!parts_.health.lists() || !parts_.health.gives_logs() || !parts_.health.showing_fault().empty() ||
      parts_.finder.never_ends())
    return SourceCondition::kBackingOff;
  return parts_.finder.listed_at() ? SourceCondition::kOk : SourceCondition::kStarting;
}

std::string SourceStanding::fault() const {
  if (!parts_.health.lists()) return parts_.health.listing_fault();
  if (parts_.api.breaker_until()) return parts_.api.breaker_reason();
  if (!parts_.health.starts_fault().empty()) return parts_.health.starts_fault();
  if (!parts_.health.gives_logs()) return parts_.health.logs_fault();
  return parts_.health.showing_fault().empty() ? parts_.finder.unended() : parts_.health.showing_fault();
}

// The age of the oldest change that is not committed. A source that cannot be read, or a session that is due and was
// not, may have had one ever since it could.
std::chrono::duration<double> SourceStanding::lag(SteadyTime now) const {
  std::chrono::duration<double> oldest{0};
  if (const auto since = parts_.uncommitted.since(parts_.queue.committed())) oldest = now - *since;
  for (const std::optional<SteadyTime> unread : {parts_.reads.owed_since(), parts_.schedule.next_due()}) {
    if (unread) oldest = std::max<std::chrono::duration<double>>(oldest, now - *unread);
  }
  if (condition() == SourceCondition::kOk) return oldest;
  const SteadyTime readable_until = parts_.finder.listed_at().value_or(began_);
  oldest = std::max<std::chrono::duration<double>>(oldest, now - readable_until);
  if (const auto before = parts_.table.source().listed_to; before && !parts_.finder.listed_at()) {  // by an earlier run
    const auto since = static_cast<double>(system_now().seconds - before->seconds);
    oldest = std::max(oldest, std::chrono::duration<double>(since));
  }
  return oldest;
}

}  // namespace sessionlogd
