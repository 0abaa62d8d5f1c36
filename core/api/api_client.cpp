#include "core/api/api_client.h"

#include <fmt/core.h>

#include <functional>
#include <stdexcept>

#include "config/tls_files.h"
#include "config/url.h"
#include "core/api/refusal.h"
#include "core/api/secret_text.h"
#include "core/async/task.h"
#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kRenewAgain{30};
constexpr std::chrono::milliseconds kAskOthersAgain{100};
constexpr std::chrono::seconds kWorthSaying{1};
// In search of a secret: what is kept of a body, and a little behind it.
constexpr std::size_t kMostLookedAt = 72u << 10;

TokenKeeper make_token(const SourceSettings& settings) {
  if (settings.token) return TokenKeeper::fixed(settings.token->read());
  return TokenKeeper(!settings.dialect->token.refresh_grant.empty());
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string_view without_query(std::string_view target) { return target.substr(0, target.find('?')); }

// The pages of one listing are one request: they fail together.
std::uint64_t id_of(std::string_view path) { return std::hash<std::string_view>{}(path); }

RefusalText refusal_of(const HttpResponse& response) {
  return {.status = response.status,
          .body = response.body.text(),
          .www_authenticate = response.www_authenticate,
          .location = response.location};
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

// They were right when the configuration was loaded; since then somebody may have changed them.
void check_tls_files(const TlsSettings& tls) {
  const auto faults = find_tls_file_faults(tls.ca_file, tls.cert_file, tls.key_file);
  if (faults.empty()) return;
  const TlsFileFault& fault = faults.front();
  const std::string& named = fault.key == "ca_file"     ? tls.ca_file
                             : fault.key == "cert_file" ? tls.cert_file
                             : tls.key_file.empty()     ? tls.cert_file
                                                        : tls.key_file;
  throw std::runtime_error(std::string(fault.key) + " " + named + " cannot be used: " + fault.why);
}

}  // namespace

ApiClient::ApiClient(asio::io_context& io, HttpClient& http, const SourceSettings& settings, std::mt19937_64& random,
                     Manners manners)
    : io_(io),
      settings_(settings),
      manners_(manners),
      holder_(manners.accounts != nullptr ? manners.accounts->new_holder() : 0),
      admission_(io, settings, random, manners.held_back, manners.doubt, manners.must_wait),
      token_(make_token(settings)),
      logins_(manners.between_logins),
      renewed_(io),
      stopped_(io) {
  check_tls_files(settings.tls);
  const EndpointOptions options{
      .base_url = settings.url,
      .proxy = settings.proxy,
      .verify = settings.tls.verify,
      .ca_file = settings.tls.ca_file,
      .pin_sha256 = settings.tls.pin_sha256,
      .server_name = settings.tls.server_name,
      .cert_file = settings.tls.cert_file,
      .key_file = settings.tls.key_file,
      .timeout = settings.poll.timeout,
      .max_body = settings.poll.max_body_bytes,
      .on_wish =
          [this](std::chrono::seconds wait) {
            wish_.reset();
            admission_.asked_to_wait(wait);
          },
  };
  auto opened = http.open(options);
  if (opened.has_error()) throw std::runtime_error(opened.error().detail);
  endpoint_ = std::move(*opened);
  if (manners.accounts != nullptr) take_what_was_left();
  const Result<void> carried = carry_token();
  if (carried.has_error()) throw std::runtime_error(carried.error().detail);
}

// By this source before it left, or else by the run before.
void ApiClient::take_what_was_left() {
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

std::optional<SteadyTime> ApiClient::leave_login() {
  if (manners_.accounts == nullptr || token_.is_fixed() || logins_.ready_at() <= SteadyClock::now()) return {};
  left_.emplace(whose(), 0);
  left_->second = manners_.accounts->leave(left_->first, {holder_, token_, logins_, granted_at_, refreshed_at_});
  return logins_.ready_at();
}

bool ApiClient::has_left_login() const { return left_ && manners_.accounts->has_left(left_->first, left_->second); }

Instant ApiClient::now() const {
  const Instant ours = system_now();
  return add_nanoseconds(ours, std::chrono::nanoseconds(usable_clock_offset()).count()).value_or(ours);
}

Accounts::Whose ApiClient::whose() const {
  std::string secret;
  try {
    secret = settings_.password->read();
  } catch (const SecretError&) {
    // It is none.
  }
  return {settings_.id, account(), settings_.dialect->name, std::hash<std::string>()(secret)};
}

Account ApiClient::account() const { return {canonical_url(settings_.url), settings_.username}; }

std::string ApiClient::with_version(std::string target) const {
  replace_all(target, "{version}", settings_.api_version);
  return target;
}

// Sets the headers that every request of this source carries.
Result<void> ApiClient::carry_token() {
  std::vector<std::string> headers{"Accept: application/json"};
  const std::string& version_header = settings_.dialect->version.header;
  if (!version_header.empty()) headers.push_back(version_header + ": " + settings_.api_version);
  if (!token_.bearer().empty()) headers.push_back("Authorization: Bearer " + token_.bearer());
  return endpoint_->set_headers(std::move(headers));
}

Task<Result<HttpResponse>> ApiClient::get(std::string target) {
  const HttpRequest request(HttpRequest::Method::kGet, with_version(std::move(target)));
  const std::string_view what = without_query(request.target);
  const std::uint64_t id = id_of(what);
  for (bool tried = false;; tried = true) {
    if (!has_token()) {
      const Result<void> ready = co_await ensure_token(id);
      if (ready.has_error()) co_return for_who_needs_it(ready.error(), logged_in_before_);
    }
    const std::string bearer = token_.bearer();
    Result<HttpResponse> response = co_await exchange(request, id);
    if (response.has_value()) response = judge(std::move(*response), what);
    if (response.has_value()) was_served(bearer, id);
    const bool unauthorized = response.has_error() && response.error().kind == ErrorKind::kLogInAgain;
    if (unauthorized && tried && denied_.size() < kMostKnown) denied_.insert(id);
    if (!unauthorized || tried || denies(id, response.error())) co_return response;
    if (token_.is_fixed()) {
      const Result<void> replaced = replace_fixed_token(bearer);
      if (replaced.has_error()) co_return for_who_needs_it(replaced.error(), logged_in_before_);
    }
    token_.refused(bearer);
  }
}

// The response is looked at, too: who echoes somewhere in it is quoted nowhere.
MayQuote ApiClient::may_quote(const HttpResponse& response) const {
  return [this, &response](std::string_view whole) {
    return !echoes_secret(whole) && !echoes_secret(response.body.text()) && !echoes_secret(response.www_authenticate);
  };
}

// The reason that a failing source gives, if it may be quoted.
std::string ApiClient::failure_in_words(const Result<HttpResponse>& response) const {
  if (response.has_error() || !Admission::is_failure_of_the_server(response->status)) return {};
  return quote(read_reason(refusal_of(*response)), may_quote(*response));
}

// What is no success, with the reason that the appliance gives, if it may be quoted.
Result<HttpResponse> ApiClient::judge(HttpResponse response, std::string_view what) const {
  if (response.status == 206) {
    Error part(ErrorKind::kBadResponse, fmt::format("HTTP 206 to {}: a part, where the whole was asked for", what));
    part.http_status = response.status;
    return part;
  }
  if (response.status >= 200 && response.status < 300) return response;
  const RefusalText refusal = refusal_of(response);
  const std::string reason = read_reason(refusal);
  const Reaction reaction = reaction_to(Asked::kData, refusal, reason);
  Error error = make_refusal(Asked::kData, reaction, response.status, what, quote(reason, may_quote(response)));
  // The response itself speaks of it. What else is refused has another reason, which a guess would bury.
  if (reaction == Reaction::kWrongVersion) {
    error.detail += fmt::format(" (wrong api_version? {} is asked for)", settings_.api_version);
    error.remedy = kSetVersion;
  }
  if (response.status / 100 == 3) {
    if (reaction == Reaction::kLogInAgain) error.detail += ": a login page? The token is not accepted";
    error.remedy = kLookAtUrl;
  }
  error.retry_after = response.retry_after;
  return error;
}

void ApiClient::was_served(const std::string& bearer, std::uint64_t id) {
  if (served_.size() < kMostKnown && bearer == token_.bearer()) served_.insert(id);
  if (!denied_.empty()) denied_.erase(id);
}

// A 401 to this says nothing of the token: others are served with it, this never was, and another one brought no more,
// or is not due yet. Renewing it for each of them would end, again and again, the tokens that all the others use. Who
// is sent to a page to log in is told more: that is tried as soon as nobody has to wait for it.
bool ApiClient::denies(std::uint64_t id, const Error& refusal) const {
  if (served_.empty() || served_.contains(id)) return false;
  if (denied_.contains(id)) return true;
  if (refusal.http_status / 100 == 3) return !may_renew_at_once();
  return SteadyClock::now() < granted_at_ + manners_.between_logins;
}

bool ApiClient::may_renew_at_once() const {
  const SteadyTime now = SteadyClock::now();
  const bool refreshes = !settings_.dialect->token.refresh_grant.empty() && !token_.refresh_token().empty();
  if (!refreshes) return now >= logins_.ready_at();
  return refreshed_at_ == SteadyTime::min() || now >= refreshed_at_ + manners_.between_logins;
}

std::optional<Wait> ApiClient::waits() const {
  Wait wait = admission_.wait();
  if (login_at_ && *login_at_ > wait.until) wait = {*login_at_, WaitingFor::kLogin};
  if (is_parked() && !has_token() && parking_.until() > wait.until) wait = {parking_.until(), WaitingFor::kParked};
  if (wait.until < SteadyClock::now() + kWorthSaying) return std::nullopt;
  return wait;
}

Task<Result<HttpResponse>> ApiClient::exchange(const HttpRequest& request, std::uint64_t id) {
  for (;;) {
    std::optional<Admission::Ticket> ticket = admission_.admit_now(id);
    if (!ticket) {
      const Result<Admission::Ticket> admitted = co_await admission_.admit(id);
      if (admitted.has_error()) co_return admitted.error();
      ticket = *admitted;
    }
    const Instant sent = system_now();
    const SteadyTime began = SteadyClock::now();
    Result<HttpResponse> response = co_await endpoint_->send(request);
    admission_.ended(*ticket, response, failure_in_words(response));
    const bool is_cancelled = response.has_error() && response.error().kind == ErrorKind::kCancelled;
    if (is_cancelled && !response.error().sent && !stopping_) continue;  // the source asked to be left alone first
    if (!is_cancelled) requests_.add(response.has_value() ? response->status : 0);
    if (!is_cancelled && (response.has_value() || response.error().sent))
      response_times_.took(SteadyClock::now() - began);
    if (response.has_value()) heard(*response, sent);
    if (response.has_value() && response->status >= 300 && response->retry_after) note_wish(*response);
    co_return response;
  }
}

void ApiClient::heard(const HttpResponse& response, Instant sent) {
  if (!response.date) return;
  clock_offset_.heard(*response.date, sent, system_now());
  if (!clock_offset_.is_wrong()) {
    if (wrong_clock_.is_not_so(SteadyClock::now()))
      log_info({.source = settings_.name}, "clock agrees with ours again");
  } else if (wrong_clock_.is_so()) {
    log_warn({.source = settings_.name}, "clock is {} s {} ours: set one of them right",
             std::chrono::abs(clock_offset()).count(), clock_offset().count() > 0 ? "ahead of" : "behind");
  }
}

void ApiClient::note_wish(const HttpResponse& response) {
  const std::string reason = quote(read_reason(refusal_of(response)), may_quote(response));
  wish_ = Error(ErrorKind::kTryLater, fmt::format("HTTP {}{}{}", response.status, reason.empty() ? "" : ": ", reason));
  wish_->http_status = response.status;
}

// ---- Tokens

bool ApiClient::has_token() const {
  const SteadyTime now = SteadyClock::now();
  return !stopping_ && token_.next(now) == TokenKeeper::Step::kUse && (!token_.is_fixed() || parking_.is_empty(now));
}

Task<Result<void>> ApiClient::ensure_token(std::uint64_t id) {
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

Task<Result<void>> ApiClient::renew(TokenKeeper::Step step, std::uint64_t id) {
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
    co_return carry_token();
  }
  renewal_failure_ = granted.error();
  token_.renewal_failed(now + kRenewAgain);
  if (token_.next(now) == TokenKeeper::Step::kUse) co_return Result<void>();
  co_return granted.error();
}

Task<Result<Grant>> ApiClient::refresh(std::uint64_t id) {
  const SteadyTime allowed =
      refreshed_at_ == SteadyTime::min() ? refreshed_at_ : refreshed_at_ + manners_.between_logins;
  const Result<void> turn = co_await wait_for_turn(allowed);
  if (turn.has_error()) co_return turn.error();
  refreshed_at_ = SteadyClock::now();
  FormFields form = settings_.dialect->token.refresh_grant;
  std::string no_password;
  const Result<HttpResponse> response = co_await ask_for_grant(std::move(form), std::move(no_password), id);
  co_return read_response(response);
}

Task<Result<Grant>> ApiClient::log_in(std::uint64_t id) {
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
  FormFields form = settings_.dialect->token.password_grant;
  std::string copy = password;
  const Result<HttpResponse> response = co_await ask_for_grant(std::move(form), std::move(copy), id);
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
Task<Result<ApiClient::Turn>> ApiClient::wait_for_others() {
  while (!stopping_) {
    Result<std::string> password = usable_secret(*settings_.password);
    if (password.has_error()) co_return password.error();
    if (manners_.accounts == nullptr) co_return Turn{std::nullopt, *std::move(password)};
    auto taken = manners_.accounts->take_turn(account(), *password);
    if (taken) co_return Turn{std::move(taken), *std::move(password)};
    co_await sleep_until(SteadyClock::now() + kAskOthersAgain);
  }
  co_return Error(ErrorKind::kCancelled, "stopping");
}

Task<Result<void>> ApiClient::wait_for_turn(SteadyTime allowed) {
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
  co_await sleep_until(allowed);
  login_at_.reset();
  if (stopping_) co_return Error(ErrorKind::kCancelled, "stopping");
  co_return Result<void>();
}

Task<Result<HttpResponse>> ApiClient::ask_for_grant(FormFields form, std::string password, std::uint64_t id) {
  std::string body = encode_form(form, settings_.username, password, token_.refresh_token());
  // Without the endpoint's Authorization, the token in use: here a server may take it for our credentials (RFC 6749,
  // section 5.2).
  std::vector<std::string> headers{"Authorization:"};
  HttpRequest request(HttpRequest::Method::kPost, with_version(settings_.dialect->token.path), std::move(headers),
                      std::move(body));
  co_return co_await exchange(request, id);
}

Result<Grant> ApiClient::read_response(const Result<HttpResponse>& response) const {
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

Result<std::string> ApiClient::usable_secret(const Secret& from) {
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
Result<void> ApiClient::take_fixed_token() {
  if (parking_.is_empty(SteadyClock::now())) return {};
  Result<std::string> token = usable_secret(*settings_.token);
  if (token.has_error()) return token.error();
  if (*token == token_.bearer()) return {};
  token_ = TokenKeeper::fixed(std::move(*token));
  return carry_token();
}

// `refused` is a fixed token that was answered 401. An error when there is no other to try.
Result<void> ApiClient::replace_fixed_token(const std::string& refused) {
  Error error(ErrorKind::kLogInAgain, "the token was refused");
  error.detail += words_for_parked(manners_);
  parking_.refused(refused, SteadyClock::now(), error);
  return take_fixed_token();
}

void ApiClient::say(LoginLimit::Change change) const {
  if (change == LoginLimit::Change::kHabitBegins) {
    log_warn({.source = settings_.name},
             "ends our tokens long before their time: another client seems to use this account; give each client "
             "an account of its own. Logins are now at least {} s apart, and more while this goes on",
             std::chrono::ceil<std::chrono::seconds>(logins_.gap()).count());
  } else if (change == LoginLimit::Change::kHabitEnds) {
    log_info({.source = settings_.name}, "lets our tokens live again");
  }
}

bool ApiClient::echoes_secret(std::string_view text) const {
  if (echoes_ || !holds_secret_of_ours(text.substr(0, kMostLookedAt))) return echoes_;
  echoes_ = true;
  log_warn({.source = settings_.name},
           "repeats a secret of ours in what it says: from now on nothing of it is quoted or kept");
  return true;
}

bool ApiClient::holds_secret_of_ours(std::string_view text) const {
  if (holds_secret(text, token_.bearer()) || holds_secret(text, token_.refresh_token())) return true;
  try {
    return settings_.password && holds_secret(text, settings_.password->read());
  } catch (const SecretError&) {
    return false;
  }
}

// ---- The end

Task<void> ApiClient::sleep_until(SteadyTime until) {
  if (!stopping_ && SteadyClock::now() < until) co_await stopped_.wait_until(until);
}

void ApiClient::stop() {
  stopping_ = true;
  stopped_.notify();
  endpoint_->cancel();
  admission_.stop();
  renewed_.notify();
}

Task<void> ApiClient::log_out(std::chrono::milliseconds most) {
  if (left_ && !manners_.accounts->take_back(left_->first, left_->second)) co_return;
  const auto& dialect = settings_.dialect->token;
  const auto bearer = token_.take_for_logout();
  if (!bearer || dialect.logout_path.empty()) co_return;
  const auto ticket = co_await admission_.admit_last(SteadyClock::now() + most);
  if (!ticket) co_return;
  const auto method = dialect.logout_method == "POST" ? HttpRequest::Method::kPost : HttpRequest::Method::kDelete;
  HttpRequest request(method, with_version(dialect.logout_path));
  Timer deadline(io_, most);
  // When both come at once, this is gone before the deadline's turn.
  const auto is_answered = std::make_shared<bool>(false);
  deadline.async_wait([this, is_answered](const boost::system::error_code& error) {
    if (!error && !*is_answered) endpoint_->cancel();
  });
  // Whatever comes of it: the token ends by itself.
  const Result<HttpResponse> response = co_await endpoint_->send(request);
  *is_answered = true;
  admission_.ended(*ticket, response);
  const bool is_over = response.has_value() && response->status < 300;
  if (is_over && manners_.accounts != nullptr) manners_.accounts->logged_out(account(), holder_);
}

}  // namespace sessionlogd
