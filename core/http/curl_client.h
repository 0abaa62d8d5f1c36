// HttpClient over libcurl: one multi per shard, driven by the shard's io_context.
//
//   CurlClient   ─ owns the multi (core/http/curl_driver.h), the pool of bodies, and the permit for large ones
//   CurlEndpoint ─ one appliance: how it is reached and trusted (TLS, proxy, limits), its headers, and a few idle curl
//                  handles; connections belong to the client and are kept by it
//   send         ─ a coroutine per request; cancelling it (asio cancellation) ends the transfer
//
// Redirects are not followed, the environment's proxy variables are ignored, and no byte of a request's headers or body
// is ever logged. A body that grows past kSmallBody, or finds the share of small ones spent, needs the client's one
// permit and holds it until it is freed; waiting for that does not count against the time-out.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <memory>

#include "core/base/memory_shares.h"
#include "core/http/http_client.h"

namespace sessionlogd {

class LargeResponses;

class CurlClient : public HttpClient {
 public:
  class Impl;

  // Bodies keep to the shares of `memory`; `large_responses` is what all clients of the process share, none: an own
  // one.
  explicit CurlClient(boost::asio::io_context& io, const MemoryShares& memory = {},
                      std::shared_ptr<LargeResponses> large_responses = nullptr);
  ~CurlClient() override;

  Result<std::unique_ptr<HttpEndpoint>> open(const EndpointOptions& options) override;
  std::size_t in_flight() const override;
  std::size_t body_bytes() const override;

  // How many of what is in flight wait until a large body was read.
  std::size_t waiting_for_large_body() const;

 private:
  // Shared with the coroutines in flight, which may outlive the client by the time they are destroyed.
  std::shared_ptr<Impl> impl_;
};

}  // namespace sessionlogd
