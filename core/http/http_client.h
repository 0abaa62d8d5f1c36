// Sends HTTP requests to appliances. CurlClient does it; tests and benches have others, which need no network.
//
// Not thread-safe: everything here runs on the shard's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/result.h"
#include "core/http/http_message.h"

namespace sessionlogd {

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
  // A response that is no success asks to be left alone for so long (Retry-After, never zero). Told as soon as its
  // headers are read, wherever the rest of it is and whoever waits for it; must not call the client.
  std::function<void(std::chrono::seconds)> on_wish = nullptr;
};

// One appliance.
class HttpEndpoint {
 public:
  HttpEndpoint() = default;
  virtual ~HttpEndpoint() = default;
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;

  // Any HTTP status is a response, not an error. Errors: kTryLater (network, TLS, time-out, ...), kBadResponse (larger
  // than max_body, undecodable), kRefused (the request itself is not sendable), kCancelled. A request that has not gone
  // out when a response of its endpoint asks to be left alone does not go, and is kCancelled with `sent` false. The
  // detail names host, what failed and why. `request` stays where it is until the end.
  virtual Task<Result<HttpResponse>> send(const HttpRequest& request) = 0;
  Task<Result<HttpResponse>> send(HttpRequest&& request) = delete;

  // The headers of every request from now on. Those in flight keep theirs. Fails as kRefused, and changes nothing, when
  // one of them is not a header line.
  virtual Result<void> set_headers(std::vector<std::string> headers) = 0;

  // Ends what is in flight here as kCancelled. Requests that come later are sent.
  virtual void cancel() = 0;

  // Whether a response waits to be read until there is memory: that is not its sender's fault.
  virtual bool waits_for_memory() const { return false; }

  // The end of the certificate last seen in a full TLS handshake, Unix seconds.
  virtual std::optional<std::int64_t> certificate_expires() const = 0;
};

class HttpClient {
 public:
  HttpClient() = default;
  virtual ~HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Fails as kRefused when the options cannot be used. Ending the client ends what is in
  // flight as kCancelled.
  virtual Result<std::unique_ptr<HttpEndpoint>> open(const EndpointOptions& options) = 0;

  // What is in flight now.
  virtual std::size_t in_flight() const = 0;

  // What bodies without a permit of their own, and buffers kept for the next ones, take.
  virtual std::size_t body_bytes() const = 0;
};

}  // namespace sessionlogd
