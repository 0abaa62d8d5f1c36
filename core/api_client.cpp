#include "core/api_client.h"

#include <fmt/core.h>

#include <functional>
#include <stdexcept>

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kClockResolution{2};
constexpr std::chrono::minutes kParkAfterRefusal{15};
constexpr std::chrono::seconds kRenewAgain{30};

TokenKeeper make_token(const SourceSettings& settings) {
  if (settings.token) return TokenKeeper::fixed(settings.token->read());
  return TokenKeeper(!settings.dialect->token.refresh_grant.empty());
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

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

ApiClient::ApiClient(asio::io_context& io, HttpClient& http, const SourceSettings& settings, std::mt19937_64& random)
    : io_(io),
      http_(http),
      settings_(settings),
      random_(random),
      budget_(settings.poll.connections, settings.poll.rate_per_second),
      token_(make_token(settings)),
      admission_(io),
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
  };
  auto opened = http.open(options);
  if (opened.has_error()) throw std::runtime_error(opened.error().detail);
  endpoint_ = std::move(*opened);
  const Result<void> carried = carry_token();
  if (carried.has_error()) throw std::runtime_error(carried.error().detail);
}

Instant ApiClient::now() const {
  const Instant ours = system_now();
  return {ours.seconds + clock_offset_.count(), ours.nanos};
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

asio::awaitable<Result<HttpAnswer>> ApiClient::get(std::string target) {
  target = with_version(std::move(target));
  for (bool tried = false;; tried = true) {
    const Result<void> ready = co_await ensure_token();
    if (ready.has_error()) co_return ready.error();
    const std::string bearer = token_.bearer();
    HttpRequest request(HttpRequest::Method::kGet, target);
    Result<HttpAnswer> answer = co_await send(std::move(request));
    const bool unauthorized = answer.has_error() && answer.error().kind == ErrorKind::kLogInAgain;
    if (!unauthorized || tried || token_.is_fixed()) co_return answer;
    token_.refused(bearer);
  }
}

asio::awaitable<Result<HttpAnswer>> ApiClient::send(HttpRequest request) {
  const std::string what = request.target.substr(0, request.target.find('?'));
  Result<HttpAnswer> answer = co_await exchange(std::move(request));
  if (answer.has_value()) {
    if (answer->date) {
      const std::chrono::seconds offset{*answer->date - system_now().seconds};
      clock_offset_ = std::chrono::abs(offset) > kClockResolution ? offset : std::chrono::seconds{0};
    }
    answer = classify_status(std::move(*answer), what);
  }
  learn(answer);
  co_return answer;
}

asio::awaitable<Result<HttpAnswer>> ApiClient::exchange(HttpRequest request) {
  if (!co_await admit()) co_return Error(ErrorKind::kCancelled, "stopping");
  ++requests_;
  Result<HttpAnswer> answer = co_await http_.send(*endpoint_, std::move(request));
  budget_.finish();
  admission_.notify();  // who waits looks at the budget when our caller, having learnt from the answer, suspends
  co_return answer;
}

asio::awaitable<bool> ApiClient::admit() {
  while (!stopping_) {
    const SteadyTime now = SteadyClock::now();
    const auto ready = budget_.ready_at(now);
    if (ready && *ready <= now) {
      budget_.start(now);
      co_return true;
    }
    co_await admission_.wait_until(ready.value_or(SteadyTime::max()));
  }
  co_return false;
}

// What an outcome says about the source as a whole.
void ApiClient::learn(const Result<HttpAnswer>& answer) {
  if (answer.has_value()) return budget_.succeeded();
  const Error error = answer.error();
  const SteadyTime now = SteadyClock::now();
  if (error.retry_after) return budget_.retry_after(now, *error.retry_after);
  if (error.kind == ErrorKind::kTryLater) return budget_.failed(now, random_());
  if (error.http_status != 0) budget_.succeeded();
}

asio::awaitable<Result<void>> ApiClient::ensure_token() {
  for (;;) {
    if (stopping_) co_return Error(ErrorKind::kCancelled, "stopping");
    const TokenKeeper::Step step = token_.next(SteadyClock::now());
    if (step == TokenKeeper::Step::kUse) co_return Result<void>();
    if (!renewing_) {
      renewing_ = true;
      Result<void> renewed = co_await renew(step);
      renewing_ = false;
      renewed_.notify();
      if (renewed.has_error()) co_return renewed;
      continue;
    }
    // Before the token ends, those that do not renew it go on with it.
    if (!token_.bearer().empty() && token_.expires() && *token_.expires() > SteadyClock::now())
      co_return Result<void>();
    co_await renewed_.wait();
    if (token_.next(SteadyClock::now()) != TokenKeeper::Step::kUse && !renewing_) {
      co_return Error(ErrorKind::kTryLater, "no token could be had");
    }
  }
}

asio::awaitable<Result<void>> ApiClient::renew(TokenKeeper::Step step) {
  if (step == TokenKeeper::Step::kRefresh) {
    FormFields refresh_form = settings_.dialect->token.refresh_grant;
    Result<Grant> refreshed = co_await ask_for_grant(std::move(refresh_form));
    if (refreshed.has_value()) {
      token_.granted(std::move(*refreshed), SteadyClock::now());
      co_return carry_token();
    }
    const Error error = refreshed.error();
    if (error.kind == ErrorKind::kTryLater || error.kind == ErrorKind::kCancelled) {
      token_.renewal_failed(SteadyClock::now() + kRenewAgain);
      if (token_.next(SteadyClock::now()) == TokenKeeper::Step::kUse) co_return Result<void>();
      co_return error;
    }
    token_.refresh_refused();
  }
  FormFields login_form = settings_.dialect->token.password_grant;
  Result<Grant> granted = co_await ask_for_grant(std::move(login_form));
  if (granted.has_error()) co_return granted.error();
  token_.granted(std::move(*granted), SteadyClock::now());
  co_return carry_token();
}

asio::awaitable<Result<Grant>> ApiClient::ask_for_grant(FormFields form) {
  std::string password;
  try {
    if (settings_.password) password = settings_.password->read();
  } catch (const SecretError& error) {
    co_return Error(ErrorKind::kRefused, error.what());
  }
  const std::size_t secret = std::hash<std::string>{}(password);
  if (SteadyClock::now() < parked_until_ && secret == refused_secret_) co_return parked_error_;

  std::string body = encode_form(form, settings_.username, password, token_.refresh_token());
  // Without the endpoint's Authorization, the token in use: here a server may take it for our credentials (RFC 6749,
  // section 5.2).
  std::vector<std::string> headers{"Authorization:"};
  HttpRequest request(HttpRequest::Method::kPost, with_version(settings_.dialect->token.path), std::move(headers),
                      std::move(body));
  Result<HttpAnswer> answer = co_await exchange(std::move(request));
  if (answer.has_error()) {
    learn(answer);
    co_return answer.error();
  }
  Result<Grant> grant = read_grant(*settings_.dialect, answer->status, answer->body.text());
  if (grant.has_value()) {
    budget_.succeeded();
    co_return grant;
  }
  Error error = grant.error();
  error.retry_after = answer->retry_after;
  error.http_status = answer->status;
  if (error.kind == ErrorKind::kBadAnswer) {
    // A page for people, say, while the product starts: nothing was said about the credentials.
    budget_.failed(SteadyClock::now(), random_());
  } else {
    learn(error);
  }
  const bool logs_in = token_.refresh_token().empty();
  if (logs_in && error.kind == ErrorKind::kRefused && answer->status != 404) {
    error.detail += "; the next login is tried in 15 minutes, or when the secret changes";
    refused_secret_ = secret;
    parked_until_ = SteadyClock::now() + kParkAfterRefusal;
    parked_error_ = error;
  }
  co_return error;
}

asio::awaitable<void> ApiClient::sleep_until(SteadyTime until) {
  if (!stopping_ && SteadyClock::now() < until) co_await stopped_.wait_until(until);
}

void ApiClient::stop() {
  stopping_ = true;
  stopped_.notify();
  endpoint_->cancel();
  admission_.notify();
  renewed_.notify();
}

asio::awaitable<void> ApiClient::log_out(std::chrono::milliseconds most) {
  const auto& dialect = settings_.dialect->token;
  const auto bearer = token_.take_for_logout();
  if (!bearer || dialect.logout_path.empty()) co_return;
  const auto method = dialect.logout_method == "POST" ? HttpRequest::Method::kPost : HttpRequest::Method::kDelete;
  HttpRequest request(method, with_version(dialect.logout_path));
  asio::steady_timer deadline(io_, most);
  deadline.async_wait([this](const boost::system::error_code& error) {
    if (!error) endpoint_->cancel();
  });
  // Whatever comes of it: the token ends by itself.
  co_await http_.send(*endpoint_, std::move(request));
}

}  // namespace sessionlogd
