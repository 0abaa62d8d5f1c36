// Sends HTTP requests: one libcurl multi per shard, driven by the shard's io_context.
//
//   HttpClient ─ owns the multi, its sockets' watches, its timer, and the pool of bodies
//   Endpoint   ─ one appliance: how it is reached and trusted (TLS, proxy, limits), and its idle curl handles
//   get/send   ─ a coroutine per request; cancelling it (asio cancellation) ends the transfer
//
// Not thread-safe: everything here runs on the shard's thread. Redirects are not followed, the environment's proxy variables are
// ignored, and no byte of a request's headers or body is ever logged.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/body.h"
#include "core/result.h"

namespace sessionlogd {

struct EndpointOptions {
  std::string base_url;                   // scheme://host[:port], no trailing slash
  std::string proxy;                      // "" = none
  bool verify = true;                     // false: neither chain nor name is checked
  std::string ca_file;                    // "" = the system's bundle
  std::vector<std::string> pin_sha256;    // base64 of the SPKI's SHA-256; replace chain and name checks unless ca_file is given too
  std::string server_name;                // expected certificate name and SNI, "" = the host of base_url
  std::string cert_file, key_file;        // client certificate, PEM
  std::chrono::milliseconds timeout{30'000};
  std::size_t max_body = 64u << 20;       // decoded bytes; the bytes on the wire are held to the same cap
};

struct HttpRequest {
  enum class Method { kGet, kPost, kDelete };

  Method method = Method::kGet;
  std::string target;                 // path and query, as it goes out
  std::vector<std::string> headers;   // "Name: value"; a CR, LF or NUL makes the request fail as kRefused before anything is sent
  std::string form;                   // POST: application/x-www-form-urlencoded

  HttpRequest(Method m, std::string t, std::vector<std::string> h = {}, std::string f = {})
      : method(m), target(std::move(t)), headers(std::move(h)), form(std::move(f)) {}
};

struct HttpAnswer {
  int status = 0;
  Body body;                                         // decoded
  std::string content_type;                          // "" = none given
  std::optional<std::int64_t> date;                  // the Date header, Unix seconds, the appliance's clock
  std::optional<std::chrono::seconds> retry_after;   // from seconds or from a date (relative to `date`, else our clock); never negative
};

class HttpClient {
 public:
  class Endpoint;

  explicit HttpClient(boost::asio::io_context& io);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Fails as kRefused when a file named in the options cannot be used. The endpoint is used with this client only and must not
  // outlive it.
  Result<std::unique_ptr<Endpoint>> open(const EndpointOptions& options);

  // Any HTTP status is an answer, not an error. Errors: kTryLater (network, TLS, time-out, ...), kBadAnswer (larger than max_body,
  // undecodable), kRefused (the request itself is not sendable), kCancelled. The detail names host, what failed and curl's words.
  // The endpoint must outlive the call.
  boost::asio::awaitable<Result<HttpAnswer>> send(Endpoint& endpoint, HttpRequest request);

  // What is in flight now, for limits and tests.
  std::size_t in_flight() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Percent-encodes everything but RFC 3986 unreserved characters: for path segments, query values and form values.
std::string percent_encode(std::string_view text);

// Retry-After's two forms, and an HTTP date (RFC 9110) to Unix seconds.
std::optional<std::int64_t> parse_http_date(std::string_view text);
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::int64_t now_unix);

}  // namespace sessionlogd
