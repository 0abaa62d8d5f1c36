#include "core/api/api_client.h"

#include <fmt/core.h>

#include <stdexcept>
#include <utility>

#include "config/tls_files.h"
#include "core/api/refusal.h"
#include "core/async/task.h"
#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kWorthSaying{1};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string_view without_query(std::string_view target) { return target.substr(0, target.find('?')); }

// The pages of one listing are one request: they fail together.
std::uint64_t id_of(std::string_view path) { return std::hash<std::string_view>{}(path); }

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
      admission_(io, settings, random, manners.held_back, manners.doubt, manners.must_wait),
      login_(
          io, settings, std::move(manners),
          {.ask_for_token = [this](std::string form, std::uint64_t id) { return ask_for_token(std::move(form), id); },
           .carry = [this](const std::string& bearer) { return carry(bearer); },
           .sleep_until = [this](SteadyTime until) { return sleep_until(until); }}),
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
  const Result<void> begun = login_.begin();
  if (begun.has_error()) throw std::runtime_error(begun.error().detail);
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
Result<void> ApiClient::carry(const std::string& bearer) {
  std::vector<std::string> headers{"Accept: application/json"};
  const std::string& version_header = settings_.dialect->version.header;
  if (!version_header.empty()) headers.push_back(version_header + ": " + settings_.api_version);
  if (!bearer.empty()) headers.push_back("Authorization: Bearer " + bearer);
  return endpoint_->set_headers(std::move(headers));
}

Task<Result<HttpResponse>> ApiClient::get(std::string target) {
  const HttpRequest request(HttpRequest::Method::kGet, with_version(std::move(target)));
  const std::string_view what = without_query(request.target);
  const std::uint64_t id = id_of(what);
  for (bool tried = false;; tried = true) {
    if (!login_.has_token()) {
      const Result<void> ready = co_await login_.ensure_token(id);
      if (ready.has_error()) co_return ready.error();
    }
    const std::string bearer = login_.bearer();
    Result<HttpResponse> response = co_await exchange(request, id);
    if (response.has_value()) response = judge(std::move(*response), what);
    if (response.has_value()) login_.was_served(bearer, id);
    const bool unauthorized = response.has_error() && response.error().kind == ErrorKind::kLogInAgain;
    if (unauthorized && tried) login_.was_denied_again(id);
    if (!unauthorized || tried || login_.denies(id, response.error())) co_return response;
    const Result<void> renewable = login_.was_refused(bearer);
    if (renewable.has_error()) co_return renewable.error();
  }
}

Task<Result<HttpResponse>> ApiClient::ask_for_token(std::string form, std::uint64_t id) {
  // Without the endpoint's Authorization, the token in use: here a server may take it for our credentials (RFC 6749,
  // section 5.2).
  std::vector<std::string> headers{"Authorization:"};
  const HttpRequest request(HttpRequest::Method::kPost, with_version(settings_.dialect->token.path), std::move(headers),
                            std::move(form));
  co_return co_await exchange(request, id);
}

// The reason that a failing source gives, if it may be quoted.
std::string ApiClient::failure_in_words(const Result<HttpResponse>& response) const {
  if (response.has_error() || !Admission::is_failure_of_the_server(response->status)) return {};
  return quote(read_reason(refusal_of(*response)), login_.may_quote(*response));
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
  Error error = make_refusal(Asked::kData, reaction, response.status, what, quote(reason, login_.may_quote(response)));
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

std::optional<Wait> ApiClient::waits() const {
  Wait wait = admission_.wait();
  if (const Wait login = login_.wait(); login.until > wait.until) wait = login;
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
  const std::string reason = quote(read_reason(refusal_of(response)), login_.may_quote(response));
  wish_ = Error(ErrorKind::kTryLater, fmt::format("HTTP {}{}{}", response.status, reason.empty() ? "" : ": ", reason));
  wish_->http_status = response.status;
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
  login_.stop();
}

Task<void> ApiClient::log_out(std::chrono::milliseconds most) {
  const auto& dialect = settings_.dialect->token;
  if (!login_.take_for_logout() || dialect.logout_path.empty()) co_return;
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
  if (response.has_value() && response->status < 300) login_.logged_out();
}

}  // namespace sessionlogd
