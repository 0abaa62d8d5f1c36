#include "core/api/admission.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/async/task.h"
#include "core/base/log_line.h"
#include "core/base/timestamp.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

// Whether what may not be sent at all may be sent again.
constexpr std::chrono::milliseconds kMayAskAgain{100};

// When that is on the clock on the wall, to the second.
std::string on_the_wall(SteadyTime at) {
  Instant there = system_now();
  there.seconds += std::chrono::ceil<std::chrono::seconds>(at - SteadyClock::now()).count();
  there.nanos = 0;
  std::string text;
  append_rfc3339(text, there);
  return text;
}

Error unsent(ErrorKind kind, std::string why) {
  Error error(kind, std::move(why));
  error.sent = false;
  return error;
}

}  // namespace

Admission::Admission(asio::io_context& io, const SourceSettings& settings, std::mt19937_64& random, HeldBack held_back,
                     std::chrono::milliseconds doubt, MustWait must_wait)
    : settings_(settings),
      random_(random),
      held_back_(held_back),
      must_wait_(std::move(must_wait)),
      budget_(settings.poll.connections, settings.poll.rate_per_second),
      breaker_(doubt),
      changed_(io) {}

bool Admission::is_failure_of_the_server(int http_status) { return http_status >= 500 && http_status != 501; }

std::optional<Admission::Ticket> Admission::admit_now(std::uint64_t request) {
  const SteadyTime now = SteadyClock::now();
  const auto ready = ready_at(now);
  if (stopping_ || !line_.empty() || !ready || *ready > now) return std::nullopt;
  return start(now, request);
}

Task<Result<Admission::Ticket>> Admission::admit(std::uint64_t request) {
  const std::uint64_t place = next_place_++;
  line_.push_back(place);
  Result<Ticket> admitted = unsent(ErrorKind::kCancelled, "stopping");
  while (!stopping_) {
    const SteadyTime now = SteadyClock::now();
    const auto ready = ready_at(now);
    const bool is_first = line_.front() == place;
    if (is_first && ready && *ready <= now) {
      admitted = start(now, request);
      break;
    }
    if (const auto error = held_back(now)) {
      admitted = *error;
      break;
    }
    co_await changed_.wait_until(is_first ? ready.value_or(SteadyTime::max()) : SteadyTime::max());
  }
  std::erase(line_, place);
  changed_.notify();  // who is the first now
  co_return admitted;
}

Task<std::optional<Admission::Ticket>> Admission::admit_last(SteadyTime latest) {
  for (;;) {
    const SteadyTime now = SteadyClock::now();
    const auto ready = ready_at(now);
    if (!ready || *ready > latest) co_return std::nullopt;
    if (*ready <= now) co_return start(now, 0);
    co_await changed_.wait_until(*ready);
  }
}

// Why who does not wait is not admitted, nullopt: it may be soon.
std::optional<Error> Admission::held_back(SteadyTime now) const {
  if (held_back_ == HeldBack::kWaits) return std::nullopt;
  if (breaker_.is_believed(now) && breaker_.ready_at(now) != now)
    return unsent(ErrorKind::kTryLater, "not asked, since it fails: " + reason_);
  if (budget_.left_alone_until() <= now + kMostWaitOfOnePass) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::seconds>(budget_.left_alone_until() - now);
  Error error = unsent(ErrorKind::kTryLater,
                       fmt::format("not asked, since it asked to be left alone for {} s (Retry-After)", left.count()));
  error.retry_after = left;
  return error;
}

std::optional<SteadyTime> Admission::ready_at(SteadyTime now) const {
  if (must_wait_ && must_wait_(stopping_)) return now + kMayAskAgain;
  const auto allowed = breaker_.ready_at(now);
  const auto affordable = budget_.ready_at(now);
  if (!allowed || !affordable) return std::nullopt;
  return std::max(*allowed, *affordable);
}

Wait Admission::wait() const {
  Wait latest;
  const auto look_at = [&latest](SteadyTime until, WaitingFor what) {
    if (until > latest.until) latest = {until, what};
  };
  look_at(budget_.paid_until(), WaitingFor::kRate);
  look_at(budget_.left_alone_until(), WaitingFor::kRetryAfter);
  look_at(breaker_.open_until().value_or(SteadyTime::min()), WaitingFor::kBreaker);
  return latest;
}

Admission::Ticket Admission::start(SteadyTime now, std::uint64_t request) {
  budget_.start(now);
  return breaker_.start(now, request);
}

void Admission::ended(const Ticket& ticket, const Result<HttpResponse>& response, std::string_view reason) {
  const SteadyTime now = SteadyClock::now();
  budget_.finish();
  changed_.notify();  // who waits looks again when our caller suspends
  if (response.has_error()) {
    return learn_failure(ticket, response.error(), now);
  }
  const int status = response->status;
  if (status < 300) budget_.served();
  if (is_failure_of_the_server(status)) {
    failed(ticket, fmt::format("HTTP {}{}{}", status, reason.empty() ? "" : ": ", reason), now);
  } else {
    answered(ticket, now);
  }
  const bool says_how_long = response->retry_after.value_or(std::chrono::seconds{0}).count() > 0;
  if (status == 429 && !says_how_long) budget_.slow_down(now, random_());
}

void Admission::asked_to_wait(std::chrono::seconds wait) { budget_.retry_after(SteadyClock::now(), wait); }

void Admission::learn_failure(const Ticket& ticket, const Error& error, SteadyTime now) {
  if (error.kind == ErrorKind::kCancelled || error.kind == ErrorKind::kRefused) return breaker_.dropped(ticket);
  // What cannot be read came from a source that responds.
  if (error.kind != ErrorKind::kTryLater) return answered(ticket, now);
  failed(ticket, error.detail, now);
}

void Admission::stop() {
  stopping_ = true;
  changed_.notify();
}

void Admission::failed(const Ticket& ticket, std::string reason, SteadyTime now) {
  breaker_.failed(ticket, now);
  if (!breaker_.open_until()) return;
  reason_ = std::move(reason);
  if (!breaker_.is_believed(now) || !said_open_.is_so()) return;
  log_warn(
      {.source = settings_.name},
      "fails whatever it is asked: {}; from now on single requests, {} s apart at most, find out whether it responds "
      "again, the next at {}",
      reason_, CircuitBreaker::kProbeEvery.count(), on_the_wall(*breaker_.open_until()));
}

void Admission::answered(const Ticket& ticket, SteadyTime now) {
  breaker_.answered(ticket, now);
  if (said_open_.is_not_so(now)) log_info({.source = settings_.name}, "responds again");
}

}  // namespace sessionlogd
