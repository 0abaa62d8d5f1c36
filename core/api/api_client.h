// One source's API: requests that are admitted one by one, carry its version and token, and are classified when they
// come back.
//
//   get ─▶ token good? ─no▶ renew it (one renewal at a time, the others wait)
//           └▶ admitted? ─no▶ wait ─▶ send ─▶ 401, 403 of an expired token, a page to log in: a new token, and once
//                                        │      more; unless the token serves other requests
//                                        └▶ what came of it: core/admission learns
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/api/admission.h"
#include "core/api/clock_offset.h"
#include "core/api/login.h"
#include "core/api/manners.h"
#include "core/api/waiting.h"
#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/base/result.h"
#include "core/base/said_pair.h"
#include "core/base/timestamp.h"
#include "core/http/http_client.h"
#include "core/http/request_counts.h"
#include "core/http/response_times.h"

namespace sessionlogd {

class ApiClient {
 public:
  // Settings and client must outlive this. Throws std::runtime_error when a file that the settings name cannot be used.
  ApiClient(boost::asio::io_context& io, HttpClient& http, const SourceSettings& settings, std::mt19937_64& random,
            Manners manners);

  // A GET; `target` is a path of the dialect with {id} filled in, {version} not yet. The value is always a 2xx
  // response. An error that is about the login instead has http_status 0, and is kLogInAgain when the login was
  // refused.
  Task<Result<HttpResponse>> get(std::string target);

  // Returns at `until`, or when we stop.
  Task<void> sleep_until(SteadyTime until);

  // Ends what is in flight and refuses what comes.
  void stop();

  // After stop(), of a source that may be back: leaves its login for it in Manners::accounts, and returns until when;
  // nullopt: it can log in again at once, and nothing is left.
  std::optional<SteadyTime> leave_login() { return login_.leave(); }
  bool has_left_login() const { return login_.has_left(); }  // and nobody has taken it

  // After stop(): gives the token back, best effort, within `most`. Left out when the source may not be asked so soon,
  // or when the source is back and goes on with what was left.
  Task<void> log_out(std::chrono::milliseconds most);
  static constexpr std::chrono::milliseconds kLogOutTimeout{1'500};  // where others wait for it

  // The appliance's clock: ours and what its Date headers say; ours where they say nothing that can be used.
  Instant now() const;
  bool tells_time() const { return clock_offset_.usable().has_value(); }
  std::chrono::milliseconds usable_clock_offset() const {
    return clock_offset_.usable().value_or(std::chrono::milliseconds{0});
  }
  std::chrono::seconds clock_offset() const { return clock_offset_.value(); }  // for people

  // When an open circuit breaker lets the next probe through; nullopt: it is closed.
  std::optional<SteadyTime> breaker_until() const { return admission_.breaker_until(); }

  // What the next request waits for, a second or more; nullopt: nothing that takes so long.
  std::optional<Wait> waits() const;

  // The last response that asked to be left alone (Retry-After), as far as it may be quoted; nullopt: none did, or it
  // has not been read yet.
  const std::optional<Error>& wish() const { return wish_; }

  LoginLimit::Slowed logins_slowed() const { return login_.slowed(); }

  // From sending until all of the response was there, or until we waited no longer.
  const ResponseTimes& response_times() const { return response_times_; }

  // Whether the appliance echoes the password or a token, in any form: in what it says here, or in anything that was
  // asked about before. Then nothing of it may be quoted or kept. Looks at the first 72 KiB: more must not be quoted or
  // kept. Takes time by the size of `text`.
  bool echoes_secret(std::string_view text) const { return login_.echoes_secret(text); }

  // Everything that was asked, logins too.
  const RequestCounts& requests() const { return requests_; }

  const std::string& breaker_reason() const { return admission_.breaker_reason(); }
  bool is_parked() const { return login_.is_parked(); }  // a credential was refused lately
  std::optional<SteadyTime> token_expires() const { return login_.token_expires(); }
  bool waits_for_memory() const { return endpoint_->waits_for_memory(); }
  std::optional<std::int64_t> certificate_expires() const { return endpoint_->certificate_expires(); }

 private:
  // Admitted, unclassified; an error was not answered. `id` is that of the request, or of the one that needs a login.
  // `request` stays where it is until then.
  Task<Result<HttpResponse>> exchange(const HttpRequest& request, std::uint64_t id);
  Task<Result<HttpResponse>> ask_for_token(std::string form, std::uint64_t id);
  Result<void> carry(const std::string& bearer);
  Result<HttpResponse> judge(HttpResponse response, std::string_view what) const;
  std::string failure_in_words(const Result<HttpResponse>& response) const;
  std::string with_version(std::string target) const;
  void heard(const HttpResponse& response, Instant sent);
  void note_wish(const HttpResponse& response);

  boost::asio::io_context& io_;
  const SourceSettings& settings_;
  std::unique_ptr<HttpEndpoint> endpoint_;
  Admission admission_;
  Login login_;
  ClockOffset clock_offset_;
  SaidPair wrong_clock_;
  Signal stopped_;
  bool stopping_ = false;
  RequestCounts requests_;
  ResponseTimes response_times_;
  std::optional<Error> wish_;
};

}  // namespace sessionlogd
