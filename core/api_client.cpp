#include "core/api_client.h"

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <stdexcept>

#include "core/secret_text.h"
#include "core/task.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kRenewAgain{30};

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

// A page for people, while the product starts, say: nothing was said about what was asked.
bool is_a_page(const Error& error) { return error.kind == ErrorKind::kBadAnswer && error.http_status / 100 == 2; }

// What a login's failure is to a request that needed it, which was never sent: nothing is known of what it asks for.
// Where nobody ever logged in a page does not pass: it means a wrong url.
Error for_who_needs_it(Error error, bool logged_in_before) {
  if (is_a_page(error) && logged_in_before) error.kind = ErrorKind::kTryLater;
  const bool passes = error.kind == ErrorKind::kTryLater || error.kind == ErrorKind::kCancelled;
  if (!passes) error.kind = ErrorKind::kLogInAgain;
  error.http_status = 0;
  return error;
}

constexpr std::string_view kParked = "; the next try is in 15 minutes, or when the secret changes";

}  // namespace

Result<HttpAnswer> classify_status(HttpAnswer answer, std::string_view what) {
  if (answer.status >= 200 && answer.status < 300) return answer;
  const auto kind = answer.status == 401                                                   ? ErrorKind::kLogInAgain
                    : answer.status == 408 || answer.status == 425 || answer.status == 429 ? ErrorKind::kTryLater
                    : answer.status >= 500 && answer.status != 501                         ? ErrorKind::kTryLater
                                                                                           : ErrorKind::kRefused;
  Error error(kind, fmt::format("HTTP {} to {}", answer.status, what));
  error.http_status = answer.status;
  error.retry_after = answer.retry_after;
  return error;
}

ApiClient::ApiClient(asio::io_context& io, HttpClient& http, const SourceSettings& settings, std::mt19937_64& random,
                     Manners manners)
    : io_(io),
      http_(http),
      settings_(settings),
      manners_(manners),
      admission_(io, settings, random, manners.held_back),
      token_(make_token(settings)),
      logins_(manners.between_logins),
      renewed_(io),
      stopped_(io) {
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
      .on_wish = [this](std::chrono::seconds wait) { admission_.asked_to_wait(wait); },
  };
  auto opened = http.open(options);
  if (opened.has_error()) throw std::runtime_error(opened.error().detail);
  endpoint_ = std::move(*opened);
  const Result<void> carried = carry_token();
  if (carried.has_error()) throw std::runtime_error(carried.error().detail);
}

Instant ApiClient::now() const {
  const Instant ours = system_now();
  return add_nanoseconds(ours, std::chrono::nanoseconds(usable_clock_offset()).count()).value_or(ours);
}

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

Task<Result<HttpAnswer>> ApiClient::get(std::string target) {
  const HttpRequest request(HttpRequest::Method::kGet, with_version(std::move(target)));
  const std::string_view what = without_query(request.target);
  const std::uint64_t id = id_of(what);
  for (bool tried = false;; tried = true) {
    if (!has_token()) {
      const Result<void> ready = co_await ensure_token(id);
      if (ready.has_error()) co_return for_who_needs_it(ready.error(), logged_in_before_);
    }
    const std::string bearer = token_.bearer();
    Result<HttpAnswer> answer = co_await exchange(request, id);
    if (answer.has_value()) answer = classify_status(std::move(*answer), what);
    const bool unauthorized = answer.has_error() && answer.error().kind == ErrorKind::kLogInAgain;
    if (!unauthorized || tried) co_return answer;
    if (token_.is_fixed()) {
      const Result<void> replaced = replace_fixed_token(bearer);
      if (replaced.has_error()) co_return for_who_needs_it(replaced.error(), logged_in_before_);
    }
    token_.refused(bearer);
  }
}

Task<Result<HttpAnswer>> ApiClient::exchange(const HttpRequest& request, std::uint64_t id) {
  for (;;) {
    std::optional<Admission::Ticket> ticket = admission_.admit_now(id);
    if (!ticket) {
      const Result<Admission::Ticket> admitted = co_await admission_.admit(id);
      if (admitted.has_error()) co_return admitted.error();
      ticket = *admitted;
    }
    const Instant sent = system_now();
    Result<HttpAnswer> answer = co_await http_.send(*endpoint_, request);
    admission_.ended(*ticket, answer);
    const bool is_cancelled = answer.has_error() && answer.error().kind == ErrorKind::kCancelled;
    if (is_cancelled && !answer.error().sent && !stopping_) continue;  // the source asked to be left alone first
    if (!is_cancelled) requests_.add(answer.has_value() ? answer->status : 0);
    if (answer.has_value()) heard(*answer, sent);
    co_return answer;
  }
}

void ApiClient::heard(const HttpAnswer& answer, Instant sent) {
  if (!answer.date) return;
  const ClockOffset::Change change = clock_offset_.heard(*answer.date, sent, system_now());
  if (change == ClockOffset::Change::kBegins) {
    spdlog::warn("source={} clock is {} s {} ours: set one of them right", settings_.name,
                 std::chrono::abs(clock_offset()).count(), clock_offset().count() > 0 ? "ahead of" : "behind");
  } else if (change == ClockOffset::Change::kEnds) {
    spdlog::info("source={} clock agrees with ours again", settings_.name);
  }
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
      co_return Error(ErrorKind::kTryLater, "no token could be had");
    }
  }
}

Task<Result<void>> ApiClient::renew(TokenKeeper::Step step, std::uint64_t id) {
  if (!token_.bearer().empty()) say(logins_.live(SteadyClock::now()));
  Result<Grant> granted = Error(ErrorKind::kLogInAgain, "no refresh token");
  if (step == TokenKeeper::Step::kRefresh) {
    granted = co_await refresh(id);
    const bool is_no = granted.has_error() &&
                       (granted.error().kind == ErrorKind::kRefused || granted.error().kind == ErrorKind::kBadAnswer);
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
    co_return carry_token();
  }
  token_.renewal_failed(now + kRenewAgain);
  if (token_.next(now) == TokenKeeper::Step::kUse) co_return Result<void>();
  co_return granted.error();
}

Task<Result<Grant>> ApiClient::refresh(std::uint64_t id) {
  FormFields form = settings_.dialect->token.refresh_grant;
  std::string no_password;
  const Result<HttpAnswer> answer = co_await ask_for_grant(std::move(form), std::move(no_password), id);
  co_return read_answer(answer, {});
}

Task<Result<Grant>> ApiClient::log_in(std::uint64_t id) {
  if (token_.bearer().empty()) say(logins_.died(SteadyClock::now()));
  // What is known to be refused need not wait; and what is used is what the secret is after the wait.
  if (const auto known = usable_secret(*settings_.password); known.has_error()) co_return known.error();
  const Result<void> allowed = co_await wait_for_login();
  if (allowed.has_error()) co_return allowed.error();
  const Result<std::string> password = usable_secret(*settings_.password);
  if (password.has_error()) co_return password.error();

  FormFields form = settings_.dialect->token.password_grant;
  std::string copy = *password;
  const Result<HttpAnswer> answer = co_await ask_for_grant(std::move(form), std::move(copy), id);
  Result<Grant> grant = read_answer(answer, *password);
  // Until now it may have been on its way.
  if (grant.has_value() || grant.error().sent) logins_.sent(SteadyClock::now());
  if (grant.has_value()) {
    logins_.granted(SteadyClock::now(), grant->expires_in);
    co_return grant;
  }
  Error error = grant.error();
  if (error.kind == ErrorKind::kRefused) {
    error.detail += kParked;
    parking_.refused(*password, SteadyClock::now(), error);
  }
  co_return error;
}

Task<Result<void>> ApiClient::wait_for_login() {
  const SteadyTime now = SteadyClock::now(), allowed = logins_.ready_at();
  if (allowed <= now) co_return Result<void>();
  const bool is_long = manners_.held_back == HeldBack::kFails && allowed - now > settings_.poll.timeout;
  if (is_long || token_.lives(now)) {
    co_return Error(ErrorKind::kTryLater, fmt::format("no token, and at most one login in {} s",
                                                      std::chrono::ceil<std::chrono::seconds>(logins_.gap()).count()));
  }
  co_await sleep_until(allowed);
  if (stopping_) co_return Error(ErrorKind::kCancelled, "stopping");
  co_return Result<void>();
}

Task<Result<HttpAnswer>> ApiClient::ask_for_grant(FormFields form, std::string password, std::uint64_t id) {
  std::string body = encode_form(form, settings_.username, password, token_.refresh_token());
  // Without the endpoint's Authorization, the token in use: here a server may take it for our credentials (RFC 6749,
  // section 5.2).
  std::vector<std::string> headers{"Authorization:"};
  HttpRequest request(HttpRequest::Method::kPost, with_version(settings_.dialect->token.path), std::move(headers),
                      std::move(body));
  co_return co_await exchange(request, id);
}

Result<Grant> ApiClient::read_answer(const Result<HttpAnswer>& answer, std::string_view password) const {
  if (answer.has_error()) return answer.error();
  const std::string_view said = answer->body.text();
  Result<Grant> grant = read_grant(*settings_.dialect, answer->status, said);
  if (grant.has_value()) return grant;
  Error error = grant.error();
  if (holds_secret(said, password) || holds_secret(said, token_.refresh_token())) {
    error.detail =
        fmt::format("token request: HTTP {}: the answer repeats the secret, so it is not quoted here", answer->status);
  }
  return error;
}

Result<std::string> ApiClient::usable_secret(const Secret& from) const {
  try {
    std::string secret = from.read();
    if (auto refused = parking_.holds(secret, SteadyClock::now())) return *std::move(refused);
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
  error.detail += kParked;
  parking_.refused(refused, SteadyClock::now(), error);
  return take_fixed_token();
}

void ApiClient::say(LoginLimit::Change change) const {
  if (change == LoginLimit::Change::kHabitBegins) {
    spdlog::warn(
        "source={} ends our tokens long before their time: another client seems to use this account; give each client "
        "an account of its own. Logins are now at least {} s apart, and more while this goes on",
        settings_.name, std::chrono::ceil<std::chrono::seconds>(logins_.gap()).count());
  } else if (change == LoginLimit::Change::kHabitEnds) {
    spdlog::info("source={} lets our tokens live again", settings_.name);
  }
}

bool ApiClient::echoes_secret(std::string_view text) const {
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
  const auto& dialect = settings_.dialect->token;
  const auto bearer = token_.take_for_logout();
  if (!bearer || dialect.logout_path.empty()) co_return;
  const auto ticket = co_await admission_.admit_last(SteadyClock::now() + most);
  if (!ticket) co_return;
  const auto method = dialect.logout_method == "POST" ? HttpRequest::Method::kPost : HttpRequest::Method::kDelete;
  HttpRequest request(method, with_version(dialect.logout_path));
  Timer deadline(io_, most);
  deadline.async_wait([this](const boost::system::error_code& error) {
    if (!error) endpoint_->cancel();
  });
  // Whatever comes of it: the token ends by itself.
  const Result<HttpAnswer> answer = co_await http_.send(*endpoint_, request);
  admission_.ended(*ticket, answer);
}

}  // namespace sessionlogd
