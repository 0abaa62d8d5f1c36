// One source's token: used while it is good, then renewed by its refresh token or by a login, one renewal at a time. A
// login waits for LoginLimit and for others of its account, and a credential that was refused is parked.
//
//   what came of a request ─▶ served with the token: it is good
//                          └▶ 401: is it the token, or this request? ─▶ of the token: it is renewed
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "config/settings.h"
#include "core/api/accounts.h"
#include "core/api/login_limit.h"
#include "core/api/manners.h"
#include "core/api/parking.h"
#include "core/api/token.h"
#include "core/api/waiting.h"
#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/base/result.h"
#include "core/http/http_client.h"

namespace sessionlogd {

class Login {
 public:
  // What it asks of who sends the source's requests.
  struct Ways {
    // A request for a token, admitted as others are. `id` is that of the request that needs it.
    std::function<Task<Result<HttpResponse>>(std::string form, std::uint64_t id)> ask_for_token;
    // Requests carry this token from now on; "" = none.
    std::function<Result<void>(const std::string& bearer)> carry;
    // Returns at `until`, or when the source stops.
    std::function<Task<void>(SteadyTime until)> sleep_until;
  };

  // Settings must outlive this. Throws SecretError when a fixed token cannot be read.
  Login(boost::asio::io_context& io, const SourceSettings& settings, Manners manners, Ways ways);

  // Takes what this source left, or what is known of the run before, and carries the token. Before anything is asked.
  Result<void> begin();

  bool has_token() const;  // one that may be used at once
  // Returns when there is one. An error has http_status 0: nothing is known of what the request asks for, which was
  // never sent. kLogInAgain when the login was refused.
  Task<Result<void>> ensure_token(std::uint64_t id);
  const std::string& bearer() const { return token_.bearer(); }

  // What came of a request that carried `bearer`. A 401, a 403 of an expired token, a page to log in:
  void was_served(const std::string& bearer, std::uint64_t id);
  void was_denied_again(std::uint64_t id);                    // with a token that was just granted
  bool denies(std::uint64_t id, const Error& refusal) const;  // it says nothing of the token
  Result<void> was_refused(const std::string& bearer);        // an error: there is no other to try

  // What a request without a token waits for: for nothing where there is one.
  Wait wait() const;
  bool is_parked() const { return !parking_.is_empty(SteadyClock::now()); }  // a credential was refused lately
  LoginLimit::Slowed slowed() const { return logins_.slowed(); }
  std::optional<SteadyTime> token_expires() const { return token_.expires(); }

  // As ApiClient says of itself.
  std::optional<SteadyTime> leave();
  bool has_left() const;
  bool echoes_secret(std::string_view text) const;

  // For what this response says; it must outlive that. The response is looked at, too: who echoes somewhere in it is
  // quoted nowhere.
  std::function<bool(std::string_view whole)> may_quote(const HttpResponse& response) const;

  // Ends what waits and refuses what comes.
  void stop();

  // After stop(): whether there is a token to hand back, which is taken away with this.
  bool take_for_logout();
  void logged_out();  // it was handed back

 private:
  struct Turn {
    std::optional<Accounts::Turn> of_account;
    std::string password;
  };

  Task<Result<void>> have_token(std::uint64_t id);
  Task<Result<void>> renew(TokenKeeper::Step step, std::uint64_t id);
  Task<Result<Grant>> refresh(std::uint64_t id);
  Task<Result<Grant>> log_in(std::uint64_t id);
  Task<Result<void>> wait_for_turn(SteadyTime allowed);
  Task<Result<Turn>> wait_for_others();
  Task<Result<HttpResponse>> ask_for_grant(const FormFields& form, std::string_view password, std::uint64_t id);
  Result<Grant> read_response(const Result<HttpResponse>& response) const;
  void take_what_was_left();
  bool may_renew_at_once() const;
  Result<std::string> usable_secret(const Secret& from);
  Account account() const;
  Accounts::Whose whose() const;
  Result<void> take_fixed_token();
  Result<void> replace_fixed_token(const std::string& refused);
  bool holds_secret_of_ours(std::string_view text) const;
  void say(LoginLimit::Change change) const;

  const SourceSettings& settings_;
  const Manners manners_;
  const Ways ways_;
  Accounts::Holder holder_;
  TokenKeeper token_;
  LoginLimit logins_;
  std::optional<std::pair<Accounts::Whose, Accounts::Ticket>> left_;  // by leave()
  Parking parking_;
  Signal renewed_;
  bool renewing_ = false;
  bool logged_in_before_ = false;
  bool stopping_ = false;
  std::optional<SteadyTime> login_at_;  // a login is waited for until then
  // Requests, of each the first kMostKnown: those that the token in use has served, and those that got a 401 with one
  // that was just granted.
  static constexpr std::size_t kMostKnown = 1'000;
  std::unordered_set<std::uint64_t> served_, denied_;
  SteadyTime granted_at_ = SteadyTime::min(), refreshed_at_ = SteadyTime::min();
  std::optional<Error> login_failure_;    // the last login's, where nobody waits for another
  std::optional<Error> renewal_failure_;  // why there is no token
  mutable bool echoes_ = false;
};

}  // namespace sessionlogd
