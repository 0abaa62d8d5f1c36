#include "core/source_view.h"

#include <algorithm>

#include "core/source_poller.h"

namespace sessionlogd {
namespace {

// SteadyTime{} is never.
std::optional<Instant> on_our_clock(std::optional<SteadyTime> at, SteadyTime now, Instant system) {
  if (!at || *at == SteadyTime{}) return std::nullopt;
  return add_nanoseconds(system, std::chrono::nanoseconds(*at - now).count());
}

}  // namespace

void RequestCounts::add(int status) {
  const auto same = [&](int wanted) {
    return std::find_if(counts_.begin(), counts_.end(), [&](const auto& count) { return count.first == wanted; });
  };
  auto count = same(status);
  if (count == counts_.end() && counts_.size() >= kMost) count = same(status = kOther);
  if (count == counts_.end()) count = counts_.insert(count, {status, 0});
  ++count->second;
}

std::uint64_t RequestCounts::total() const {
  std::uint64_t sum = 0;
  for (const auto& [status, count] : counts_) sum += count;
  return sum;
}

SourceIdentity SourceIdentity::of(const SourceSettings& settings) {
  return {settings.name, settings.id, settings.dialect->name, settings.url,
          std::chrono::duration_cast<std::chrono::seconds>(settings.poll.retention)};
}

SourceView view_of_waiting(const SourceSettings& settings) {
  SourceView view;
  view.identity = std::make_shared<const SourceIdentity>(SourceIdentity::of(settings));
  return view;
}

SourceView view_of_unusable(const SourceSettings& settings, const std::string& why) {
  SourceView view = view_of_waiting(settings);
  view.condition = SourceCondition::kParked;
  view.error = why;
  return view;
}

void SourcePoller::look() {
  judge_reads();
  finder_.look(services_.queue.full());
  const auto wait = api_.waits();
  health_.waits(
      wait ? std::optional(wait->what) : std::nullopt,
      wait ? std::chrono::ceil<std::chrono::seconds>(wait->until - SteadyClock::now()) : std::chrono::seconds{0});
}

void SourcePoller::judge_reads() {
  const auto judged = services_.queue.full() ? ReadSuccess::Judged::kNotNow : ReadSuccess::Judged::kYes;
  const std::size_t due = schedule_.size() + polling_;
  health_.judged(reads_.judge(judged, due, SteadyClock::now()), due, reads_.last_failure());
  counters_.failing = !health_.lists() || left_unread_ || !health_.gives_logs();
}

SourceView SourcePoller::view() {
  look();
  const SteadyTime now = SteadyClock::now();
  const Instant system = system_now();
  SourceView view;
  view.identity = identity_;
  view.condition = condition();
  view.error = fault_in_words();

  view.polls = {counters_.polls_new, counters_.polls_changed, counters_.polls_unchanged, counters_.polls_failed};
  view.entries = counters_.entries;
  view.events = {counters_.events_new, counters_.events_changed, counters_.events_error, counters_.events_gap};
  view.sessions = table_.phases();
  view.not_json = counters_.not_json;
  view.not_utf8 = counters_.not_utf8;
  view.late = counters_.late;
  view.sessions_failing = reads_.failing();
  view.verify_late = counters_.verify_late;
  const VerifyPlace& verify = table_.source().verify;
  view.verified = verify.last;
  view.verified.late += verify.tally.late;
  view.verified.could_not += verify.tally.could_not;
  view.verified_at = verify.ended;
  view.requests = api_.requests();
  view.response_p50 = api_.response_times().quantile(0.5);
  view.response_p95 = api_.response_times().quantile(0.95);

  view.last_poll = on_our_clock(read_at_, now, system);
  view.last_listing = on_our_clock(finder_.listed_at(), now, system);
  view.lag = lag(now);
  if (const auto due = schedule_.next_due()) view.lateness = std::max(now - *due, SteadyClock::duration::zero());
  view.clock_offset = api_.clock_offset();
  if (const auto wait = api_.waits()) {
    view.waiting_until = on_our_clock(wait->until, now, system);
    view.waiting = wait->until - now;
    view.waiting_for = wait->what;
  }
  view.breaker_until = on_our_clock(api_.breaker_until(), now, system);
  view.token_expires = on_our_clock(api_.token_expires(), now, system);
  if (const auto expires = api_.certificate_expires()) view.certificate_expires = Instant{*expires, 0};
  return view;
}

SourceCondition SourcePoller::condition() const {
  if (!health_.lists() && api_.is_parked()) return SourceCondition::kParked;
  if (api_.breaker_until()) return SourceCondition::kOpenBreaker;
  if (!health_.lists() || !health_.gives_logs() || !health_.sweep_fault().empty() || finder_.never_ends())
    return SourceCondition::kBackingOff;
  return finder_.listed_at() ? SourceCondition::kOk : SourceCondition::kStarting;
}

std::string SourcePoller::fault_in_words() const {
  if (!health_.lists()) return health_.listing_fault();
  if (api_.breaker_until()) return api_.breaker_reason();
  if (!health_.gives_logs()) return health_.logs_fault();
  return health_.sweep_fault().empty() ? finder_.unended() : health_.sweep_fault();
}

// The age of the oldest change that is not committed. A source that cannot be read, or a session that is due and was
// not, may have had one ever since it could.
std::chrono::duration<double> SourcePoller::lag(SteadyTime now) {
  std::chrono::duration<double> oldest{0};
  if (const auto since = uncommitted_.since(services_.queue.committed())) oldest = now - *since;
  for (const std::optional<SteadyTime> unread : {reads_.owed_since(), schedule_.next_due()}) {
    if (unread) oldest = std::max<std::chrono::duration<double>>(oldest, now - *unread);
  }
  if (condition() == SourceCondition::kOk) return oldest;
  const SteadyTime readable_until = finder_.listed_at().value_or(began_);
  oldest = std::max<std::chrono::duration<double>>(oldest, now - readable_until);
  if (const auto before = table_.source().listed_to; before && !finder_.listed_at()) {  // by an earlier run
    const auto since = static_cast<double>(system_now().seconds - before->seconds);
    oldest = std::max(oldest, std::chrono::duration<double>(since));
  }
  return oldest;
}

}  // namespace sessionlogd
