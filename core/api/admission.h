// Where every request of a source passes, logins and logouts as well: it starts when the source's budget and its
// breaker allow it, and what comes of it teaches both.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/api/circuit_breaker.h"
#include "core/api/source_budget.h"
#include "core/api/waiting.h"
#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/said_pair.h"
#include "core/http/http_client.h"

namespace sessionlogd {

// What becomes of a request that may not be sent for long, since the breaker is open or no login is allowed yet.
enum class HeldBack {
  kWaits,  // the daemon: it has time
  kFails,  // one pass: the source is not well, and that is its result
};

// Whether nothing may be sent now: of all that is asked, or of what hands a token back at the end.
using MustWait = std::function<bool(bool to_log_out)>;

// What one pass waits for when a source asks to be left alone: for longer it is not well.
inline constexpr std::chrono::seconds kMostWaitOfOnePass{30};

class Admission {
 public:
  using Ticket = CircuitBreaker::Attempt;

  // Settings must outlive this. While `must_wait` says so, nothing is sent; it is asked again and again.
  Admission(boost::asio::io_context& io, const SourceSettings& settings, std::mt19937_64& random, HeldBack held_back,
            std::chrono::milliseconds doubt = CircuitBreaker::kDoubt, MustWait must_wait = {});

  // When `request` may be sent at once, and nobody waits; then it must be sent.
  std::optional<Ticket> admit_now(std::uint64_t request);

  // Returns when `request` may be sent, in the order of asking, and then it must be. Fails as kTryLater when
  // held-back requests fail and the source fails whatever it is asked, or asks to be left alone for long: then with
  // retry_after. As kCancelled after stop().
  Task<Result<Ticket>> admit(std::uint64_t request);

  // The same at the end, after stop(): no later than `latest`, or nullopt.
  Task<std::optional<Ticket>> admit_last(SteadyTime latest);

  // Once per ticket: what came of it, and the reason that a failure of the server gives, as far as it may be quoted.
  void ended(const Ticket& ticket, const Result<HttpResponse>& response, std::string_view reason = {});

  // Whether that says that the source does not work, rather than what it thinks of the request.
  static bool is_failure_of_the_server(int http_status);

  // The source asks to be left alone for so long: known before the request that was answered so has ended.
  void asked_to_wait(std::chrono::seconds wait);

  void stop();

  // What the next request waits for that is of the source and not of its connections: the latest.
  Wait wait() const;

  // When the next probe of an open breaker is due.
  std::optional<SteadyTime> breaker_until() const { return breaker_.open_until(); }
  const std::string& breaker_reason() const { return reason_; }

 private:
  std::optional<SteadyTime> ready_at(SteadyTime now) const;
  std::optional<Error> held_back(SteadyTime now) const;
  Ticket start(SteadyTime now, std::uint64_t request);
  void learn_failure(const Ticket& ticket, const Error& error, SteadyTime now);
  void failed(const Ticket& ticket, std::string reason, SteadyTime now);
  void answered(const Ticket& ticket, SteadyTime now);

  const SourceSettings& settings_;
  std::mt19937_64& random_;
  const HeldBack held_back_;
  const MustWait must_wait_;
  SourceBudget budget_;
  CircuitBreaker breaker_;
  SaidPair said_open_;
  Signal changed_;
  std::deque<std::uint64_t> line_;  // of who waits, in the order they came
  std::uint64_t next_place_ = 0;
  std::string reason_;  // why the breaker is open
  bool stopping_ = false;
};

}  // namespace sessionlogd
