// Sends HTTP requests: one libcurl multi per shard, driven by the shard's io_context.
//
//   HttpClient ─ owns the multi (core/curl_driver.h), the pool of bodies, and the permit for large ones
//   Endpoint   ─ one appliance: how it is reached and trusted (TLS, proxy, limits), its headers, and its idle curl
//   handles send       ─ a coroutine per request; cancelling it (asio cancellation) ends the transfer
//
// Not thread-safe: everything here runs on the shard's thread. Redirects are not followed, the environment's proxy
// variables are ignored, and no byte of a request's headers or body is ever logged.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/body.h"
#include "core/http_headers.h"
#include "core/result.h"
#include "core/task.h"

namespace sessionlogd {

class LargeAnswers;

struct EndpointOptions {
  std::string base_url;  // scheme://host[:port], no trailing slash
  std::string proxy;     // "" = none
  bool verify = true;    // false: neither chain nor name is checked
  std::string ca_file;   // "" = the system's bundle
  std::vector<std::string>
      pin_sha256;           // base64 of the SPKI's SHA-256; replace chain and name checks unless ca_file is given too
  std::string server_name;  // expected certificate name and SNI, "" = the host of base_url
  std::string cert_file, key_file;  // client certificate, PEM
  std::chrono::milliseconds timeout{30'000};
  std::size_t max_body = 64u << 20;  // decoded bytes; the bytes on the wire are held to the same cap
  // An answer that is no success asks to be left alone for so long (Retry-After, never zero). Told as soon as its
  // headers are read, wherever the rest of it is and whoever waits for it; must not call the client.
  std::function<void(std::chrono::seconds)> on_wish = nullptr;
};

struct HttpRequest {
  enum class Method { kGet, kPost, kDelete };

  Method method = Method::kGet;
  std::string target;  // path and query, as it goes out
  std::vector<std::string>
      headers;       // "Name: value", beside the endpoint's own and instead of those of the same name; what is not
                     // a header line (CR, LF, NUL, no colon) makes the request fail as kRefused, unsent
  std::string form;  // POST: application/x-www-form-urlencoded

  HttpRequest(Method m, std::string t, std::vector<std::string> h = {}, std::string f = {})
      : method(m), target(std::move(t)), headers(std::move(h)), form(std::move(f)) {}
};

struct HttpAnswer {
  int status = 0;
  Body body;                               // decoded
  std::string content_type;                // "" = none given
  std::optional<std::int64_t> date;        // the Date header, Unix seconds, the appliance's clock
  std::string www_authenticate, location;  // of what is no success; "" = none
  std::optional<std::chrono::seconds>
      retry_after;  // from seconds or from a date (relative to `date`, else our clock); never negative
};

class HttpClient {
 public:
  class Endpoint;

  // Bodies keep to the shares of `memory`; `large_answers` is what all clients of the process share, none: an own one.
  explicit HttpClient(boost::asio::io_context& io, const MemoryShares& memory = {},
                      std::shared_ptr<LargeAnswers> large_answers = nullptr);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Fails as kRefused when the options, or a file named in them, cannot be used. The endpoint is used with this client
  // only.
  Result<std::unique_ptr<Endpoint>> open(const EndpointOptions& options);

  // Any HTTP status is an answer, not an error. Errors: kTryLater (network, TLS, time-out, ...), kBadAnswer (larger
  // than max_body, undecodable), kRefused (the request itself is not sendable), kCancelled. A request that has not gone
  // out when an answer of its endpoint asks to be left alone does not go, and is kCancelled with `sent` false. The
  // detail names host, what failed and curl's words. Ending the client ends what is in flight as kCancelled. A body
  // that grows past kSmallBody, or finds the share of small ones spent, needs the client's one permit and holds it
  // until it is freed; waiting for that does not count against the time-out. `request` stays where it is until then.
  Task<Result<HttpAnswer>> send(Endpoint& endpoint, const HttpRequest& request);
  Task<Result<HttpAnswer>> send(Endpoint& endpoint, HttpRequest&& request) = delete;

  // What is in flight now, and how many of those wait until a large body was read: for limits, metrics and tests.
  std::size_t in_flight() const;
  std::size_t waiting_for_large_body() const;

  // What bodies without the permit, and buffers kept for the next ones, take.
  std::size_t body_bytes() const;

 private:
  class Impl;
  std::shared_ptr<Impl>
      impl_;  // shared with the coroutines in flight, which may outlive the client by the time they are destroyed
};

// One appliance. Keeps a few curl handles between requests; connections belong to the client and are kept by it.
class HttpClient::Endpoint {
 public:
  class State;

  explicit Endpoint(std::shared_ptr<State> state);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // The headers of every request from now on, in curl's form once instead of per request. Those in flight keep theirs.
  // Fails as kRefused, and changes nothing, when one of them is not a header line.
  Result<void> set_headers(std::vector<std::string> headers);

  // Ends what is in flight here as kCancelled. Requests that come later are sent.
  void cancel();

  // The end of the certificate last seen in a full TLS handshake, Unix seconds.
  std::optional<std::int64_t> certificate_expires() const;

 private:
  friend class HttpClient;
  std::shared_ptr<State> state_;
};

}  // namespace sessionlogd
