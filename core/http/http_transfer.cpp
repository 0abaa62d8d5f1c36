#include "core/http/http_transfer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <limits>
#include <new>
#include <utility>

#include "core/base/timestamp.h"
#include "core/http/curl_error.h"
#include "core/http/http_headers.h"

namespace sessionlogd {
namespace {

// One read of the usual response (about 20 KB) instead of two. Larger costs memory per request in flight, also of those
// that wait for the permit.
constexpr long kReceiveBuffer = 32 << 10;

constexpr std::chrono::milliseconds kLongestConnect{10'000};

// A response for which waiting for the permit stopped the clock is given up when it trickles slower than this for as
// long as the time-out: others need the permit. (Without that the time-out says it all, and costs less per poll.)
constexpr long kSlowestBytesPerSecond = 16;

// libcurl keeps the CA certificates it read for a day; after a refusal for the shortest time it knows, since another
// file may stand there by now.
constexpr long kKeepCertificates = 24 * 3600;
constexpr long kKeepCertificatesBriefly = 1;

constexpr std::size_t kMostHeaderBytesKept = 32u << 10;

long to_curl_ms(std::chrono::milliseconds time) {
  return static_cast<long>(
      std::clamp<std::chrono::milliseconds::rep>(time.count(), 1, std::numeric_limits<int>::max()));
}

// curl copies neither lists nor form and does not change them.
curl_slist node_of(const std::string& line) { return {const_cast<char*>(line.c_str()), nullptr}; }

void link(std::vector<curl_slist>& nodes) {
  for (std::size_t i = 1; i < nodes.size(); ++i) nodes[i - 1].next = &nodes[i];
}

std::string_view name_of(std::string_view line) { return line.substr(0, line.find(':')); }

bool has_header(const std::vector<std::string>& lines, std::string_view name) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return equal_ignoring_case(name_of(line), name); });
}

std::int64_t now_unix() { return std::time(nullptr); }

std::string in_seconds(std::chrono::milliseconds time) {
  if (time.count() % 1000 == 0) return std::to_string(time.count() / 1000) + " s";
  return std::to_string(time.count()) + " ms";
}

}  // namespace

HeaderList::HeaderList(std::vector<std::string> lines) : lines_(std::move(lines)) {
  for (const std::string& line : lines_) nodes_.push_back(node_of(line));
  link(nodes_);
}

HttpTransfer::HttpTransfer(const EndpointPlan& plan, boost::asio::io_context& io, CurlDriver& driver,
                           LargeBodyPermit& permit)
    : plan_(plan),
      driver_(driver),
      permit_(permit),
      response_(permit, *this),
      ended_(io, SteadyTime::max()),
      easy_(curl_easy_init()) {
  if (easy_ == nullptr) throw std::bad_alloc();
  driver_.adopt(easy_, *this);
  set_fixed_options();
}

HttpTransfer::~HttpTransfer() {
  cancel();
  curl_easy_cleanup(easy_);
}

bool HttpTransfer::start(const HttpRequest& request, Body body) {
  cancelled_ = false;
  sent_ = awaits_head_ = recalled_ = starts_over_ = lookup_refused_ = false;
  wishes_ = plan_.wishes;
  how_ = CURLE_OK;
  response_.begin(std::move(body), plan_.options.max_body);

  curl_easy_setopt(easy_, CURLOPT_CA_CACHE_TIMEOUT,
                   plan_.peer->distrusted ? kKeepCertificatesBriefly : kKeepCertificates);
  url_.assign(plan_.url_prefix).append(request.target);
  if (curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str()) != CURLE_OK) return false;
  set_headers(request);
  if (!set_method(request)) return false;
  running_ = driver_.start(easy_);
  return running_;
}

void HttpTransfer::cancel() noexcept {
  if (!running_) return;
  cancelled_ = true;
  driver_.remove(easy_);
  finished(CURLE_OK);
}

bool HttpTransfer::make_ready() noexcept {
  cancel();
  reset_method();
  response_.clear();
  if (std::exchange(waits_, false) || waited_.count() != 0) {
    waited_ = std::chrono::milliseconds(0);
    curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, 0L);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, to_curl_ms(plan_.options.timeout));
  }
  return response_.header_bytes() <= kMostHeaderBytesKept;  // curl keeps a response's headers until the next one
}

Result<HttpResponse> HttpTransfer::take_result() {
  Body body = response_.take();
  if (cancelled_ || recalled_) {
    Error cancelled(ErrorKind::kCancelled, plan_.authority + ": cancelled");
    cancelled.sent = !recalled_;
    return cancelled;
  }
  if (how_ == CURLE_OK || how_ == CURLE_PEER_FAILED_VERIFICATION) plan_.peer->distrusted = how_ != CURLE_OK;
  if (how_ == CURLE_OK) response_.end();
  if (how_ != CURLE_OK || response_.is_faulty()) return error();

  HttpResponse response;
  response.status = status();
  response.body = std::move(body);
  response.content_type = response_.take_content_type();
  response.date = response_.date();
  response.retry_after = retry_after();
  if (response.status >= 300) {
    response.www_authenticate = response_.take_www_authenticate();
    response.location = response_.take_location();
  }
  return response;
}

int HttpTransfer::status() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::optional<std::chrono::seconds> HttpTransfer::retry_after() const {
  const std::string& wait = response_.retry_after();
  if (wait.empty()) return std::nullopt;
  return parse_retry_after(wait, response_.date().value_or(now_unix()));
}

// Once the headers are all there.
void HttpTransfer::take_head() {
  awaits_head_ = false;
  const std::chrono::seconds wish = retry_after().value_or(std::chrono::seconds(0));
  if (wish.count() <= 0 || status() < 300) return;
  ++plan_.wishes;
  if (plan_.options.on_wish) plan_.options.on_wish(wish);
}

void HttpTransfer::set_fixed_options() {
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
  const EndpointOptions& options = plan_.options;
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT,
      1L);  // else ending a request that resolves a name blocks the shard until the resolver answers
  set(CURLOPT_BUFFERSIZE, kReceiveBuffer);

  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  set(CURLOPT_HTTP_CONTENT_DECODING, 0L);  // core/gzip_decoder does it
  set(CURLOPT_USERAGENT, "sessionlogd");
  set(CURLOPT_PROXY, options.proxy.c_str());  // "" turns the environment's off, too
  set(CURLOPT_NOPROXY, "");                   // nor does its no_proxy count
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

  set(CURLOPT_TIMEOUT_MS, to_curl_ms(options.timeout));
  set(CURLOPT_CONNECTTIMEOUT_MS, to_curl_ms(std::min(options.timeout, kLongestConnect)));
  set(CURLOPT_LOW_SPEED_LIMIT, kSlowestBytesPerSecond);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_MAXLIFETIME_CONN, 3600L);

  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_PREREQFUNCTION, &on_request);
  set(CURLOPT_PREREQDATA, this);

  if (plan_.has_name) {
    set(CURLOPT_RESOLVER_START_FUNCTION, &on_lookup);
    set(CURLOPT_RESOLVER_START_DATA, this);
    set(CURLOPT_SOCKOPTFUNCTION, &on_address);
    set(CURLOPT_SOCKOPTDATA, this);
  }
  if (!plan_.connect_to.empty()) {
    connect_to_ = node_of(plan_.connect_to);
    set(CURLOPT_CONNECT_TO, &connect_to_);
  }
  set_tls_options();
}

void HttpTransfer::set_tls_options() {
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
  const EndpointOptions& options = plan_.options;
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, plan_.checks_chain ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, plan_.checks_chain ? 2L : 0L);
  // Without a CAPATH libcurl parses the bundle once and keeps it.
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  set(CURLOPT_PROXY_CAPATH, static_cast<const char*>(nullptr));
  if (!plan_.ca_file.empty()) {
    set(CURLOPT_CAINFO, plan_.ca_file.c_str());
    set(CURLOPT_PROXY_CAINFO, plan_.ca_file.c_str());
  }
  if (!plan_.pins.empty()) set(CURLOPT_PINNEDPUBLICKEY, plan_.pins.c_str());
  if (!options.cert_file.empty()) {
    set(CURLOPT_SSLCERT, options.cert_file.c_str());
    set(CURLOPT_SSLKEY, (options.key_file.empty() ? options.cert_file : options.key_file).c_str());
    set(CURLOPT_KEYPASSWD, "");  // never ask on the terminal
  }
  if (!options.proxy.starts_with("https:")) {  // else it would be the proxy's certificate
    set(CURLOPT_SSL_CTX_FUNCTION, &on_ssl_ctx);
    set(CURLOPT_SSL_CTX_DATA, this);
  }
}

void HttpTransfer::set_headers(const HttpRequest& request) {
  headers_ = plan_.headers;
  curl_slist* first = headers_->first();
  if (!request.headers.empty()) {
    own_headers_.clear();
    for (const std::string& line : request.headers) own_headers_.push_back(node_of(line));
    for (const std::string& line : headers_->lines()) {
      if (!has_header(request.headers, name_of(line))) own_headers_.push_back(node_of(line));
    }
    link(own_headers_);
    first = own_headers_.data();
  }
  // A list built for one request is set every time: the vector's memory may be that of the last.
  if (first == headers_set_ && request.headers.empty()) return;
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, first);
  headers_set_ = request.headers.empty() ? first : own_headers_.data();
}

bool HttpTransfer::set_method(const HttpRequest& request) {
  method_ = request.method;
  switch (method_) {
    case HttpRequest::Method::kGet:
      return true;
    case HttpRequest::Method::kDelete:
      return curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, "DELETE") == CURLE_OK;
    case HttpRequest::Method::kPost:
      // On a connection that was used before curl sends a request again when it breaks: no login may go out twice.
      return curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
             curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.form.size())) ==
                 CURLE_OK &&
             curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request.form.c_str()) == CURLE_OK;
  }
  return false;
}

void HttpTransfer::reset_method() {
  if (std::exchange(method_, HttpRequest::Method::kGet) == HttpRequest::Method::kGet) return;
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 0L);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, nullptr);
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
  curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
}

std::size_t HttpTransfer::on_header(char* text, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  try {
    const std::string_view line(text, size);
    if (!transfer.response_.take_header(line)) return CURL_WRITEFUNC_ERROR;
    if (trim(line).empty() && transfer.status() >= 200) transfer.take_head();
    return size;
  } catch (const std::bad_alloc&) {
    transfer.response_.fail(ResponseReader::Fault::kNoMemory);
    return CURL_WRITEFUNC_ERROR;
  }
}

std::size_t HttpTransfer::on_body(char* text, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  try {
    switch (transfer.response_.take_body({text, size})) {
      case ResponseReader::Taken::kAll:
        return size;
      case ResponseReader::Taken::kNoRoom:
        return CURL_WRITEFUNC_PAUSE;
      case ResponseReader::Taken::kFaulty:
        break;
    }
  } catch (const std::bad_alloc&) {
    transfer.response_.fail(ResponseReader::Fault::kNoMemory);
  }
  return CURL_WRITEFUNC_ERROR;
}

// Before a name is looked up that libcurl does not remember.
int HttpTransfer::on_lookup(void*, void*, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (transfer.looks_up_) return 0;
  transfer.looks_up_ = transfer.driver_.begin_lookup(transfer.plan_.name);
  transfer.lookup_refused_ = !transfer.looks_up_;
  return transfer.looks_up_ ? 0 : 1;
}

// The name is known: there is a socket to connect.
int HttpTransfer::on_address(void* self, curl_socket_t, curlsocktype) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (std::exchange(transfer.looks_up_, false)) {
    transfer.driver_.lookups().ended();
    transfer.plan_.name = NameLookups::Standing::kResolved;
  }
  return CURL_SOCKOPT_OK;
}

// What is still looked up when the transfer has ended goes on without it, unless that is why it ended.
void HttpTransfer::end_lookup() noexcept {
  if (!std::exchange(looks_up_, false)) return;
  plan_.name = NameLookups::Standing::kFailed;
  if (how_ == CURLE_COULDNT_RESOLVE_HOST || how_ == CURLE_COULDNT_RESOLVE_PROXY) {
    driver_.lookups().ended();
  } else {
    driver_.lookups().left();
  }
}

// The last moment before a request goes out. What the endpoint has asked for since it was allowed to go still counts,
// also if that is not read yet: then the request starts over, behind the reading.
// When a connection that was used before breaks without a response, curl sends the request again by itself: past every
// limit of ours.
int HttpTransfer::on_request(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (transfer.sent_) {
    transfer.response_.fail(ResponseReader::Fault::kNoResponse);
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.recalled_ = transfer.wishes_ != transfer.plan_.wishes;
  transfer.starts_over_ = !transfer.recalled_ && transfer.driver_.lies_unread(&transfer.plan_);
  if (transfer.recalled_ || transfer.starts_over_) return CURL_PREREQFUNC_ABORT;
  transfer.sent_ = transfer.awaits_head_ = true;
  return CURL_PREREQFUNC_OK;
}

CURLcode HttpTransfer::on_ssl_ctx(CURL*, void* ssl_ctx, void* self) {
  try {
    return note_peer_certificate(ssl_ctx, static_cast<HttpTransfer*>(self)->plan_.peer) ? CURLE_OK
                                                                                        : CURLE_OUT_OF_MEMORY;
  } catch (const std::bad_alloc&) {
    return CURLE_OUT_OF_MEMORY;
  }
}

void HttpTransfer::finished(CURLcode how) noexcept {
  awaits_head_ = false;
  if (std::exchange(starts_over_, false) && driver_.start(easy_)) return;
  running_ = false;
  how_ = how;
  end_lookup();
  permit_.leave(*this);
  if (how == CURLE_OK && response_.size() > kSmallBody) plan_.was_slow = false;
  ended_.cancel();
}

// While it waits for others' bodies its own time-out stands still: the appliance is not to blame.
void HttpTransfer::must_wait() {
  waits_ = true;
  waits_since_ = std::chrono::steady_clock::now();
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, std::max(1L, to_curl_ms(plan_.options.timeout) / 1000));
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, 0L);
}

void HttpTransfer::granted(LargeBodyPermit::Held permit) {
  response_.permit(std::move(permit));
  if (std::exchange(waits_, false)) {
    waited_ += std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - waits_since_);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, to_curl_ms(plan_.options.timeout + waited_));
  }
  const CURLcode how = driver_.resume(easy_);
  if (how == CURLE_OK) return;
  driver_.remove(easy_);
  finished(how);
}

void HttpTransfer::too_slow() {
  plan_.was_slow = true;
  response_.fail(ResponseReader::Fault::kTooSlow);
  driver_.remove(easy_);
  finished(CURLE_WRITE_ERROR);
  response_.clear();  // and with it the permit
}

Error HttpTransfer::error() const {
  const std::string who = plan_.authority + ": ";
  if (response_.is_faulty()) return response_.error(who);
  if (lookup_refused_) {
    Error refused(ErrorKind::kTryLater,
                  who + "many other names wait for the name server to answer: is it our resolver?");
    refused.sent = false;
    return refused;
  }
  const CurlFault fault = classify(how_);
  std::string detail = who + std::string(fault.words);
  if (how_ == CURLE_OPERATION_TIMEDOUT) detail += limit_words();
  detail += curl_words();
  const std::string& pin = plan_.peer->pin;
  if (how_ == CURLE_PEER_FAILED_VERIFICATION &&
      plan_.peer->expires.value_or(std::numeric_limits<std::int64_t>::max()) <= system_now().seconds) {
    detail += "; renew it on the appliance";
  } else if (!pin.empty() && how_ == CURLE_PEER_FAILED_VERIFICATION) {
    detail += "; if this is the right server, set ca_file, or pin_sha256 = [\"" + pin + "\"]";
  } else if (!pin.empty() && how_ == CURLE_SSL_PINNEDPUBKEYNOTMATCH) {
    detail += "; the server's is \"" + pin + "\"";
  }
  Error made(fault.kind, std::move(detail));
  made.sent = was_connected();
  return made;
}

bool HttpTransfer::was_connected() const {
  curl_off_t connected_after = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connected_after);
  return connected_after != 0;
}

std::string HttpTransfer::limit_words() const {
  if (was_connected() || plan_.options.timeout <= kLongestConnect)
    return " (timeout is " + in_seconds(plan_.options.timeout) + ")";
  return " while connecting (which may take " + in_seconds(kLongestConnect) + ")";
}

std::string HttpTransfer::curl_words() const {
  std::string words = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(how_);
  long code = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &code);
  if (how_ == CURLE_COULDNT_CONNECT && code != 0) words += std::string(": ") + std::strerror(static_cast<int>(code));
  return ": " + words;
}

}  // namespace sessionlogd
