// One request and its response, on one curl handle that is used again for the next of the same endpoint. Turns options
// and requests into curl's, and what curl calls back with into an HttpResponse or an Error. Knows nothing of
// coroutines.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/task.h"
#include "core/http/curl_driver.h"
#include "core/http/http_client.h"
#include "core/http/large_body_permit.h"
#include "core/http/name_lookups.h"
#include "core/http/peer_certificate.h"
#include "core/http/response_reader.h"

namespace sessionlogd {

// Header lines in curl's form. Never changes: a request in flight shares it.
class HeaderList {
 public:
  explicit HeaderList(std::vector<std::string> lines);
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  curl_slist* first() const { return nodes_.empty() ? nullptr : nodes_.data(); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
  mutable std::vector<curl_slist> nodes_;  // curl takes a pointer to mutable and does not change it
};

// What all requests of an endpoint have in common.
struct EndpointPlan {
  EndpointOptions options;
  std::string authority;    // host:port of base_url, as errors name it
  std::string url_prefix;   // what goes before a target; holds server_name instead of the host when there is one
  std::string host_header;  // "Host: ..." when url_prefix does not hold the real host
  std::string connect_to;   // CURLOPT_CONNECT_TO, likewise
  std::string ca_file;
  std::string pins;          // CURLOPT_PINNEDPUBLICKEY
  bool has_name = false;     // what is connected to, the proxy perhaps, is not an address but must be looked up
  bool checks_chain = true;  // and the name
  std::shared_ptr<const HeaderList> headers;
  std::shared_ptr<PeerCertificate> peer = std::make_shared<PeerCertificate>();
  mutable NameLookups::Standing name = NameLookups::Standing::kUnknown;
  mutable bool was_slow = false;     // when it last read a large body
  mutable std::uint64_t wishes = 0;  // responses so far that asked to be left alone
};

class HttpTransfer final : public CurlDriver::Transfer, public LargeBodyPermit::Reader {
 public:
  // `plan` outlives the transfer; driver and permit outlive every request it makes.
  HttpTransfer(const EndpointPlan& plan, boost::asio::io_context& io, CurlDriver& driver, LargeBodyPermit& permit);
  ~HttpTransfer();

  // `request` stays where it is until the transfer ended. False: curl does not take it.
  bool start(const HttpRequest& request, Body body);

  // Ends it, if it is still running, as cancelled.
  void cancel() noexcept;

  // Waits until the transfer ended. Never expires, is cancelled instead: so it can be awaited, and cancelled, like any
  // other timer.
  Timer& ended() { return ended_; }

  // Once, after the end.
  Result<HttpResponse> take_result();

  // Ends what runs and makes the handle ready for another request. False: it has grown too large to be kept.
  bool make_ready() noexcept;

  // Whether it waits for memory that others have.
  bool waits() const { return waits_; }

 private:
  void set_fixed_options();
  void set_tls_options();
  void set_headers(const HttpRequest& request);
  bool set_method(const HttpRequest& request);
  void reset_method();

  static std::size_t on_header(char* text, std::size_t, std::size_t size, void* self);
  static std::size_t on_body(char* text, std::size_t, std::size_t size, void* self);
  static int on_lookup(void*, void*, void* self);
  static int on_address(void* self, curl_socket_t, curlsocktype);
  static int on_request(void* self, char*, char*, int, int);
  static CURLcode on_ssl_ctx(CURL*, void* ssl_ctx, void* self);

  int status() const;
  std::optional<std::chrono::seconds> retry_after() const;
  void take_head();

  void finished(CURLcode how) noexcept override;
  const void* awaits() const noexcept override { return awaits_head_ ? &plan_ : nullptr; }
  std::uint64_t answered() const noexcept override { return response_.received(); }
  void came_to_nothing() noexcept override { response_.fail(ResponseReader::Fault::kNothingInIt); }
  void must_wait() override;
  void granted(LargeBodyPermit::Held permit) override;
  std::uint64_t brought() const override { return response_.size(); }
  void too_slow() override;
  bool was_slow() const override { return plan_.was_slow; }
  Error error() const;
  bool was_connected() const;
  void end_lookup() noexcept;
  std::string limit_words() const;
  std::string curl_words() const;

  const EndpointPlan& plan_;
  CurlDriver& driver_;
  LargeBodyPermit& permit_;
  ResponseReader response_;
  Timer ended_;
  CURL* easy_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  curl_slist connect_to_{};

  // The request.
  std::string url_;
  std::shared_ptr<const HeaderList> headers_;
  std::vector<curl_slist> own_headers_;
  const curl_slist* headers_set_ = nullptr;
  HttpRequest::Method method_ = HttpRequest::Method::kGet;
  std::chrono::steady_clock::time_point waits_since_{};
  std::chrono::milliseconds waited_{0};
  bool waits_ = false;

  // What becomes of it.
  bool running_ = false;
  bool cancelled_ = false;
  bool sent_ = false;
  bool awaits_head_ = false;  // sent, and the head of the response is not read
  bool recalled_ = false;
  bool starts_over_ = false;
  bool looks_up_ = false;        // its name
  bool lookup_refused_ = false;  // there were too many
  std::uint64_t wishes_ = 0;     // of the endpoint when it began
  CURLcode how_ = CURLE_OK;
};

}  // namespace sessionlogd
