#include "core/api/login.h"

#include <fmt/core.h>

#include <utility>

#include "config/url.h"
#include "core/api/refusal.h"
#include "core/api/secret_text.h"
#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kRenewAgain{30};
constexpr std::chrono::milliseconds kAskOthersAgain{100};
// In search of a secret: what is kept of a body, and a little behind it.
constexpr std::size_t kMostLookedAt = 72u << 10;

TokenKeeper make_token(const SourceSettings& settings) {
  if (settings.token) return TokenKeeper::fixed(settings.token->read());
  return TokenKeeper(!settings.dialect->token.refresh_grant.empty());
}

// A page for people, while the product starts, say: nothing was said about what was asked.
bool is_a_page(const Error& error) { return error.kind == ErrorKind::kBadResponse && error.http_status / 100 == 2; }

// "" where the detail says it.
std::string_view remedy_for_login(const Error& error) {
  if (error.kind == ErrorKind::kTryLater && error.http_status >= 500) return "look at the appliance's own log";
  if (error.kind == ErrorKind::kTryLater && error.http_status == 0 && error.sent)
    return "is the appliance overloaded, or something between that lets nothing through?";
  return {};
}

// What a login's failure is to a request that needed it, which was never sent: nothing is known of what it asks for.
// Where nobody ever logged in a page does not pass: it means a wrong url.
Error for_who_needs_it(Error error, bool logged_in_before) {
  if (is_a_page(error) && logged_in_before) error.kind = ErrorKind::kTryLater;
  const bool passes = error.kind == ErrorKind::kTryLater || error.kind == ErrorKind::kCancelled;
  if (!passes) error.kind = ErrorKind::kLogInAgain;
  if (error.remedy.empty()) error.remedy = remedy_for_login(error);
  error.http_status = 0;
  return error;
}

// What follows a refused credential. A command that keeps nothing of accounts has no next try.
std::string_view words_for_parked(const Manners& manners) {
  return manners.held_back == HeldBack::kFails && manners.accounts == nullptr
             ? "; correct the account or its secret, then try again"
             : "; the next try is in 15 minutes, or when the secret changes";
}

}  // namespace

Login::Login(boost::asio::io_context& io, const SourceSettings& settings, Manners manners, Ways ways)
    : settings_(settings),
      manners_(std::move(manners)),
      ways_(std::move(ways)),
      holder_(manners_.accounts != nullptr ? manners_.accounts->new_holder() : 0),
      token_(make_token(settings)),
      logins_(manners_.between_logins),
      renewed_(io) {}

Result<void> Login::begin() {
  if (manners_.accounts != nullptr) take_what_was_left();
  return ways_.carry(token_.bearer());
}

// By this source before it left, or else by the run before.
void Login::take_what_was_left() {
  const SteadyTime now = SteadyClock::now();
  if (auto left = token_.is_fixed() ? std::nullopt : manners_.accounts->take_left(whose())) {
    holder_ = left->holder;
    logins_ = left->logins;
    logins_.was_away();
    if (left->token.next(now) == TokenKeeper::Step::kLogIn) return;
    token_ = std::move(left->token);
    granted_at_ = left->granted_at;
    refreshed_at_ = left->refreshed_at;
    logged_in_before_ = true;
  } else if (const auto last = manners_.accounts->last_login(account(), system_now())) {
    logins_.restore(now - std::chrono::seconds{last->seconds_ago}, last->early_deaths);
  }
}

std::optional<SteadyTime> Login::leave() {
  if (manners_.accounts == nullptr || token_.is_fixed() || logins_.ready_at() <= SteadyClock::now()) return {};
  left_.emplace(whose(), 0);
  left_->second = manners_.accounts->leave(left_->first, {holder_, token_, logins_, granted_at_, refreshed_at_});
  return logins_.ready_at();
}

bool Login::has_left() const { return left_ && manners_.accounts->has_left(left_->first, left_->second); }

Accounts::Whose Login::whose() const {
  std::string secret;
  try {
    secret = settings_.password->read();
  } catch (const SecretError&) {
    // It is none.
  }
  return {settings_.id, account(), settings_.dialect->name, std::hash<std::string>()(secret)};
}

Account Login::account() const { return {canonical_url(settings_.url), settings_.username}; }

MayQuote Login::may_quote(const HttpResponse& response) const {
  return [this, &response](std::string_view whole) {
    return !echoes_secret(whole) && !echoes_secret(response.body.text()) && !echoes_secret(response.www_authenticate);
  };
}

void Login::was_served(const std::string& bearer, std::uint64_t id) {
  if (served_.size() < kMostKnown && bearer == token_.bearer()) served_.insert(id);
  if (!denied_.empty()) denied_.erase(id);
}

void Login::was_denied_again(std::uint64_t id) {
  if (denied_.size() < kMostKnown) denied_.insert(id);
}

Result<void> Login::was_refused(const std::string& bearer) {
  if (token_.is_fixed()) {
    const Result<void> replaced = replace_fixed_token(bearer);
    if (replaced.has_error()) return for_who_needs_it(replaced.error(), logged_in_before_);
  }
  token_.refused(bearer);
  return {};
}

// A 401 to this says nothing of the token: others are served with it, this never was, and another one brought no more,
// or is not due yet. Renewing it for each of them would end, again and again, the tokens that all the others use. Who
// is sent to a page to log in is told more: that is tried as soon as nobody has to wait for it.
bool Login::denies(std::uint64_t id, const Error& refusal) const {
  if (served_.empty() || served_.contains(id)) return false;
  if (denied_.contains(id)) return true;
  if (refusal.http_status / 100 == 3) return !may_renew_at_once();
  return SteadyClock::now() < granted_at_ + manners_.between_logins;
}

bool Login::may_renew_at_once() const {
  const SteadyTime now = SteadyClock::now();
  const bool refreshes = !settings_.dialect->token.refresh_grant.empty() && !token_.refresh_token().empty();
  if (!refreshes) return now >= logins_.ready_at();
  return refreshed_at_ == SteadyTime::min() || now >= refreshed_at_ + manners_.between_logins;
}

Wait Login::wait() const {
  Wait wait;
  if (login_at_) wait = {*login_at_, WaitingFor::kLogin};
  if (is_parked() && !has_token() && parking_.until() > wait.until) wait = {parking_.until(), WaitingFor::kParked};
  return wait;
}

bool Login::has_token() const {
  const SteadyTime now = SteadyClock::now();
  return !stopping_ && token_.next(now) == TokenKeeper::Step::kUse && (!token_.is_fixed() || parking_.is_empty(now));
}

Task<Result<void>> Login::ensure_token(std::uint64_t id) {
  const Result<void> ready = co_await have_token(id);
  if (ready.has_error()) co_return for_who_needs_it(ready.error(), logged_in_before_);
  co_return ready;
}

Task<Result<void>> Login::have_token(std::uint64_t id) {
  if (token_.is_fixed()) co_return take_fixed_token();
  for (;;) {
    if (stopping_) co_return Error(ErrorKind::kCancelled, "stopping");
    const TokenKeeper::Step step = token_.next(SteadyClock::now());
    if (step == TokenKeeper::Step::kUse) co_return Result<void>();
    if (!renewing_) {
      renewing_ = true;
      Result<void> renewed = co_await renew(step, id);
      renewing_ = false;
      renewed_.notify();
      if (renewed.has_error()) co_return renewed;
      continue;
    }
    // Before the token ends, those that do not renew it go on with it.
    if (token_.lives(SteadyClock::now())) co_return Result<void>();
    co_await renewed_.wait();
    if (token_.next(SteadyClock::now()) != TokenKeeper::Step::kUse && !renewing_) {
      co_return renewal_failure_.value_or(Error(ErrorKind::kTryLater, "no token could be had"));
    }
  }
}

Task<Result<void>> Login::renew(TokenKeeper::Step step, std::uint64_t id) {
  if (!token_.bearer().empty()) say(logins_.live(SteadyClock::now()));
  Result<Grant> granted = Error(ErrorKind::kLogInAgain, "no refresh token");
  if (step == TokenKeeper::Step::kRefresh) {
    granted = co_await refresh(id);
    const bool is_no = granted.has_error() &&
                       (granted.error().kind == ErrorKind::kRefused || granted.error().kind == ErrorKind::kBadResponse);
    if (is_no && !is_a_page(granted.error())) {
      token_.refresh_refused();
      step = TokenKeeper::Step::kLogIn;
    }
  }
  if (step == TokenKeeper::Step::kLogIn) granted = co_await log_in(id);
  const SteadyTime now = SteadyClock::now();
  if (granted.has_value()) {
    token_.granted(std::move(*granted), now);
    logged_in_before_ = true;
    granted_at_ = now;
    served_.clear();
    renewal_failure_.reset();
    co_return ways_.carry(token_.bearer());
  }
  renewal_failure_ = granted.error();
  token_.renewal_failed(now + kRenewAgain);
  if (token_.next(now) == TokenKeeper::Step::kUse) co_return Result<void>();
  co_return granted.error();
}

Task<Result<Grant>> Login::refresh(std::uint64_t id) {
  const SteadyTime allowed =
      refreshed_at_ == SteadyTime::min() ? refreshed_at_ : refreshed_at_ + manners_.between_logins;
  const Result<void> turn = co_await wait_for_turn(allowed);
  if (turn.has_error()) co_return turn.error();
  refreshed_at_ = SteadyClock::now();
  const Result<HttpResponse> response = co_await ask_for_grant(settings_.dialect->token.refresh_grant, {}, id);
  co_return read_response(response);
}

Task<Result<Grant>> Login::log_in(std::uint64_t id) {
  if (token_.bearer().empty()) say(logins_.died(SteadyClock::now()));
  // What is known to be refused need not wait.
  if (const auto known = usable_secret(*settings_.password); known.has_error()) co_return known.error();
  if (login_failure_) co_return *login_failure_;
  const Result<void> allowed = co_await wait_for_turn(logins_.ready_at());
  if (allowed.has_error()) co_return allowed.error();
  const Result<Turn> turn = co_await wait_for_others();
  if (turn.has_error()) co_return turn.error();
  const std::string& password = turn->password;

  if (manners_.accounts != nullptr)
    manners_.accounts->logs_in(account(), holder_, system_now(), logins_.early_deaths());
  const Result<HttpResponse> response = co_await ask_for_grant(settings_.dialect->token.password_grant, password, id);
  Result<Grant> grant = read_response(response);
  // Until now it may have been on its way.
  if (grant.has_value() || grant.error().sent) logins_.sent(SteadyClock::now());
  if (grant.has_value()) {
    logins_.granted(SteadyClock::now(), grant->expires_in);
    if (manners_.accounts != nullptr) manners_.accounts->granted(account(), password);
    co_return grant;
  }
  Error error = grant.error();
  if (error.kind == ErrorKind::kRefused) {
    if (manners_.accounts != nullptr)
      manners_.accounts->refused(account(), holder_, password, system_now(), error.detail);
    error.detail += words_for_parked(manners_);
    parking_.refused(password, SteadyClock::now(), error);
  }
  if (error.kind == ErrorKind::kBadResponse && error.http_status == 400) logins_.refused_unclearly();
  // One pass has no time for what another login would say again.
  const bool passes = error.kind == ErrorKind::kTryLater || error.kind == ErrorKind::kCancelled;
  if (!passes && manners_.held_back == HeldBack::kFails) login_failure_ = error;
  co_return error;
}

// Returns when no other source of this account is about to find out whether the password is right, with what the
// password is then.
Task<Result<Login::Turn>> Login::wait_for_others() {
  while (!stopping_) {
    Result<std::string> password = usable_secret(*settings_.password);
    if (password.has_error()) co_return password.error();
    if (manners_.accounts == nullptr) co_return Turn{std::nullopt, *std::move(password)};
    auto taken = manners_.accounts->take_turn(account(), *password);
    if (taken) co_return Turn{std::move(taken), *std::move(password)};
    co_await ways_.sleep_until(SteadyClock::now() + kAskOthersAgain);
  }
  co_return Error(ErrorKind::kCancelled, "stopping");
}

Task<Result<void>> Login::wait_for_turn(SteadyTime allowed) {
  const SteadyTime now = SteadyClock::now();
  if (allowed <= now) co_return Result<void>();
  // One pass has no time for a login that would say again why the last one failed.
  const bool is_long = manners_.held_back == HeldBack::kFails &&
                       (renewal_failure_.has_value() || allowed - now > settings_.poll.timeout);
  if (is_long || token_.lives(now)) {
    const auto gap = std::chrono::ceil<std::chrono::seconds>(logins_.gap()).count();
    // Why there is none counts, not that it may not be asked for again yet.
    Error error(ErrorKind::kTryLater, fmt::format("no token, and at most one login in {} s", gap));
    error.sent = false;
    if (renewal_failure_) error = *renewal_failure_;
    error.kind = ErrorKind::kTryLater;
    co_return error;
  }
  login_at_ = allowed;
  co_await ways_.sleep_until(allowed);
  login_at_.reset();
  if (stopping_) co_return Error(ErrorKind::kCancelled, "stopping");
  co_return Result<void>();
}

Task<Result<HttpResponse>> Login::ask_for_grant(const FormFields& form, std::string_view password, std::uint64_t id) {
  return ways_.ask_for_token(encode_form(form, settings_.username, password, token_.refresh_token()), id);
}

Result<Grant> Login::read_response(const Result<HttpResponse>& response) const {
  if (response.has_error()) return response.error();
  bool repeats = false;
  Result<Grant> grant = read_grant(*settings_.dialect, refusal_of(*response), [&](std::string_view whole) {
    repeats = !may_quote(*response)(whole);
    return !repeats;
  });
  if (grant.has_value()) return grant;
  Error error = grant.error();
  if (repeats) {
    error.detail = fmt::format("token request: HTTP {}: the response repeats the secret, so it is not quoted here",
                               response->status);
  }
  return error;
}

Result<std::string> Login::usable_secret(const Secret& from) {
  try {
    std::string secret = from.read();
    const SteadyTime now = SteadyClock::now();
    if (auto refused = parking_.holds(secret, now)) return *std::move(refused);
    // By another source of this account, or before a restart.
    const auto parked = manners_.accounts != nullptr && !token_.is_fixed()
                            ? manners_.accounts->parks(account(), secret, system_now())
                            : std::nullopt;
    if (parked) {
      Error error(ErrorKind::kRefused, parked->why + std::string(words_for_parked(manners_)));
      parking_.refused(secret, now - Parking::kSpan + std::chrono::seconds{parked->seconds}, error);
      return error;
    }
    return secret;
  } catch (const SecretError& error) {
    return Error(ErrorKind::kRefused, error.what());
  }
}

// Another one may stand in its file by now, which matters only while the old one is refused.
Result<void> Login::take_fixed_token() {
  if (parking_.is_empty(SteadyClock::now())) return {};
  Result<std::string> token = usable_secret(*settings_.token);
  if (token.has_error()) return token.error();
  if (*token == token_.bearer()) return {};
  token_ = TokenKeeper::fixed(std::move(*token));
  return ways_.carry(token_.bearer());
}

// `refused` is a fixed token that was answered 401. An error when there is no other to try.
Result<void> Login::replace_fixed_token(const std::string& refused) {
  Error error(ErrorKind::kLogInAgain, "the token was refused");
  error.detail += words_for_parked(manners_);
  parking_.refused(refused, SteadyClock::now(), error);
  return take_fixed_token();
}

void Login::say(LoginLimit::Change change) const {
  if (change == LoginLimit::Change::kHabitBegins) {
    log_warn({.source = settings_.name},
             "ends our tokens long before their time: another client seems to use this account; give each client "
             "an account of its own. Logins are now at least {} s apart, and more while this goes on",
             std::chrono::ceil<std::chrono::seconds>(logins_.gap()).count());
  } else if (change == LoginLimit::Change::kHabitEnds) {
    log_info({.source = settings_.name}, "lets our tokens live again");
  }
}

bool Login::echoes_secret(std::string_view text) const {
  if (echoes_ || !holds_secret_of_ours(text.substr(0, kMostLookedAt))) return echoes_;
  echoes_ = true;
  log_warn({.source = settings_.name},
           "repeats a secret of ours in what it says: from now on nothing of it is quoted or kept");
  return true;
}

bool Login::holds_secret_of_ours(std::string_view text) const {
  if (holds_secret(text, token_.bearer()) || holds_secret(text, token_.refresh_token())) return true;
  try {
    return settings_.password && holds_secret(text, settings_.password->read());
  } catch (const SecretError&) {
    return false;
  }
}

void Login::stop() {
  stopping_ = true;
  renewed_.notify();
}

bool Login::take_for_logout() {
  if (left_ && !manners_.accounts->take_back(left_->first, left_->second)) return false;
  return token_.take_for_logout().has_value();
}

void Login::logged_out() {
  if (manners_.accounts != nullptr) manners_.accounts->logged_out(account(), holder_);
}

}  // namespace sessionlogd
