#include "core/http/curl_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/intrusive/list.hpp>
#include <utility>

#include "core/async/task.h"
#include "core/http/curl_driver.h"
#include "core/http/http_headers.h"
#include "core/http/http_transfer.h"
#include "core/http/large_body_permit.h"

namespace sessionlogd {
namespace asio = boost::asio;
namespace {

// Handles an endpoint keeps when nothing is in flight: 6 KB each, and thousands of endpoints.
constexpr std::size_t kIdleHandles = 4;

using FlightHook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class EndpointState {
 public:
  EndpointState(EndpointPlan p, std::shared_ptr<CurlClient::Impl> c) : plan(std::move(p)), client(std::move(c)) {}

  std::unique_ptr<HttpTransfer> take();
  void give_back(std::unique_ptr<HttpTransfer> transfer) noexcept;

  EndpointPlan plan;
  std::shared_ptr<CurlClient::Impl> client;

 private:
  std::vector<std::unique_ptr<HttpTransfer>> idle_;
};

// One call of send(): takes a transfer from its endpoint, and at the end, however that comes, gives it back.
class Flight : public FlightHook {
 public:
  explicit Flight(std::shared_ptr<EndpointState> endpoint)
      : endpoint_(std::move(endpoint)), transfer_(endpoint_->take()) {}
  ~Flight() {
    if (transfer_->make_ready()) endpoint_->give_back(std::move(transfer_));
  }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  HttpTransfer& transfer() { return *transfer_; }
  bool goes_to(const EndpointState& endpoint) const { return endpoint_.get() == &endpoint; }

 private:
  std::shared_ptr<EndpointState> endpoint_;
  std::unique_ptr<HttpTransfer> transfer_;
};

}  // namespace

class CurlClient::Impl {
 public:
  Impl(asio::io_context& context, const MemoryShares& memory, std::shared_ptr<LargeResponses> large_responses)
      : io(context),
        driver(std::make_shared<CurlDriver>(context, memory.connections)),
        permit(std::make_shared<LargeBodyPermit>(context, std::move(large_responses))),
        bodies(memory.small_bodies) {}

  void stop() {
    stopped = true;
    for (Flight& flight : flights) flight.transfer().cancel();
    driver->stop();
  }

  asio::io_context& io;
  std::shared_ptr<CurlDriver> driver;
  std::shared_ptr<LargeBodyPermit> permit;
  BodyPool bodies;
  boost::intrusive::list<Flight, boost::intrusive::constant_time_size<false>> flights;
  bool stopped = false;
};

CurlClient::CurlClient(asio::io_context& io, const MemoryShares& memory,
                       std::shared_ptr<LargeResponses> large_responses)
    : impl_(std::make_shared<Impl>(io, memory,
                                   large_responses != nullptr
                                       ? std::move(large_responses)
                                       : std::make_shared<LargeResponses>(memory.large_responses))) {}

CurlClient::~CurlClient() { impl_->stop(); }

std::size_t CurlClient::in_flight() const { return impl_->flights.size(); }

std::size_t CurlClient::waiting_for_large_body() const { return impl_->permit->waiting(); }

std::size_t CurlClient::body_bytes() const { return impl_->bodies.bytes(); }

namespace {

class CurlEndpoint : public HttpEndpoint {
 public:
  explicit CurlEndpoint(std::shared_ptr<EndpointState> state) : state_(std::move(state)) {}

  Task<Result<HttpResponse>> send(const HttpRequest& request) override;
  // In curl's form once instead of per request.
  Result<void> set_headers(std::vector<std::string> headers) override;
  void cancel() override;
  bool waits_for_memory() const override;
  std::optional<std::int64_t> certificate_expires() const override { return state_->plan.peer->expires; }

 private:
  const std::shared_ptr<EndpointState> state_;
};

Task<Result<HttpResponse>> CurlEndpoint::send(const HttpRequest& request) {
  const std::shared_ptr<CurlClient::Impl> client = state_->client;
  const std::string& who = state_->plan.authority;
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  if (client->stopped || state.cancelled() != asio::cancellation_type::none) {
    co_return Error(ErrorKind::kCancelled, who + ": cancelled");
  }
  if (!is_sendable_target(request.target)) co_return Error(ErrorKind::kRefused, who + ": not a path that can be sent");
  if (!std::all_of(request.headers.begin(), request.headers.end(), is_sendable_header)) {
    co_return Error(ErrorKind::kRefused,
                    who + ": one of the headers is not a line \"Name: value\" without control characters");
  }

  Flight flight(state_);
  HttpTransfer& transfer = flight.transfer();
  if (!transfer.start(request, client->bodies.take()))
    co_return Error(ErrorKind::kRefused, who + ": libcurl does not take this request");
  client->flights.push_back(flight);
  boost::system::error_code cancelled_one_way_or_the_other;
  auto token = asio::redirect_error(use_task, cancelled_one_way_or_the_other);
  co_await transfer.ended().async_wait(token);
  transfer.cancel();  // if it did not end by itself, we are the ones who were cancelled
  co_return transfer.take_result();
}

struct UrlParts {
  std::string scheme, host, port, path;
};

Result<UrlParts> split(const std::string& url) {
  const auto refuse = [&](std::string_view why) { return Error(ErrorKind::kRefused, "url: " + std::string(why)); };
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  const auto part = [&](CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(parsed.get(), which, &text, flags) != CURLUE_OK) return std::string();
    std::string copy(text);
    curl_free(text);
    return copy;
  };
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK) return refuse("not a URL");
  UrlParts parts{part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT, CURLU_DEFAULT_PORT),
                 part(CURLUPART_PATH)};
  if (parts.scheme != "http" && parts.scheme != "https") return refuse("must start with http:// or https://");
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty())
    return refuse("must not hold a user name or password");
  if (!part(CURLUPART_QUERY).empty() || !part(CURLUPART_FRAGMENT).empty()) return refuse("must end before '?' or '#'");
  while (parts.path.ends_with('/')) parts.path.pop_back();
  return parts;
}

std::string system_ca_file() {
  const curl_version_info_data* libcurl = curl_version_info(CURLVERSION_NOW);
  const std::array<const char*, 5> candidates{libcurl->cainfo, "/etc/ssl/certs/ca-certificates.crt",
                                              "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                              "/etc/ssl/cert.pem"};
  for (const char* file : candidates) {
    if (file != nullptr && ::access(file, R_OK) == 0) return file;
  }
  return {};
}

Result<std::string> join_pins(const std::vector<std::string>& pins) {
  std::string joined;
  for (const std::string& pin : pins) {
    if (!is_pin(pin)) return Error(ErrorKind::kRefused, "pin_sha256: not the base64 of a SHA-256: \"" + pin + "\"");
    joined += (joined.empty() ? "sha256//" : ";sha256//") + pin;
  }
  return joined;
}

bool is_address(const std::string& host) {
  in_addr four{};
  return host.starts_with('[') || inet_pton(AF_INET, host.c_str(), &four) == 1;
}

Result<EndpointPlan> make_plan(const EndpointOptions& options) {
  auto url = split(options.base_url);
  if (!url) return url.error();
  auto pins = join_pins(options.pin_sha256);
  if (!pins) return pins.error();

  EndpointPlan plan;
  plan.options = options;
  plan.authority = url->host + ":" + url->port;
  plan.pins = *pins;
  const auto proxy = split(options.proxy);
  plan.has_name = !is_address(proxy ? proxy->host : url->host);
  plan.checks_chain = options.verify && (plan.pins.empty() || !options.ca_file.empty());
  plan.ca_file = options.ca_file.empty() ? system_ca_file() : options.ca_file;
  if (plan.ca_file.empty() && plan.checks_chain && url->scheme == "https") {
    return Error(ErrorKind::kRefused, plan.authority + ": the system has no file of CA certificates; set ca_file");
  }
  const bool is_renamed = url->scheme == "https" && !options.server_name.empty() && options.server_name != url->host;
  if (is_renamed) {
    // The name rules what TLS asks for and expects; the address, where we connect; the Host header stays that of the
    // URL.
    plan.connect_to = options.server_name + ":" + url->port + ":" + plan.authority;
    plan.host_header = "Host: " + plan.authority;
  }
  plan.url_prefix = url->scheme + "://" + (is_renamed ? options.server_name : url->host) + ":" + url->port + url->path;
  return plan;
}

Result<void> CurlEndpoint::set_headers(std::vector<std::string> headers) {
  EndpointPlan& plan = state_->plan;
  if (!std::all_of(headers.begin(), headers.end(), is_sendable_header)) {
    return Error(ErrorKind::kRefused,
                 plan.authority + ": one of the headers is not a line \"Name: value\" without control characters");
  }
  if (!plan.host_header.empty()) headers.push_back(plan.host_header);
  plan.headers = std::make_shared<const HeaderList>(std::move(headers));
  return {};
}

void CurlEndpoint::cancel() {
  for (Flight& flight : state_->client->flights) {
    if (flight.goes_to(*state_)) flight.transfer().cancel();
  }
}

bool CurlEndpoint::waits_for_memory() const {
  return std::ranges::any_of(state_->client->flights,
                             [&](Flight& flight) { return flight.goes_to(*state_) && flight.transfer().waits(); });
}

std::unique_ptr<HttpTransfer> EndpointState::take() {
  if (idle_.empty()) return std::make_unique<HttpTransfer>(plan, client->io, *client->driver, *client->permit);
  std::unique_ptr<HttpTransfer> transfer = std::move(idle_.back());
  idle_.pop_back();
  return transfer;
}

void EndpointState::give_back(std::unique_ptr<HttpTransfer> transfer) noexcept {
  if (idle_.size() < kIdleHandles) idle_.push_back(std::move(transfer));
}

}  // namespace

Result<std::unique_ptr<HttpEndpoint>> CurlClient::open(const EndpointOptions& options) {
  auto plan = make_plan(options);
  if (!plan) return plan.error();
  auto endpoint = std::make_unique<CurlEndpoint>(std::make_shared<EndpointState>(std::move(*plan), impl_));
  if (auto set = endpoint->set_headers({}); !set) return set.error();
  return std::unique_ptr<HttpEndpoint>(std::move(endpoint));
}

}  // namespace sessionlogd
