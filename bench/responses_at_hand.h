// HttpClient without a network: each request is answered on its shard's own thread, in the next turn of the loop, and
// shares nothing with the other shards'.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "core/base/body.h"
#include "core/base/memory_shares.h"
#include "core/http/http_client.h"

namespace sessionlogd {

// Appends the body of the response, whose status is 200. Of the program that links this. Called on the shards' threads.
void response_at_hand(const HttpRequest& request, Body& body);

class ResponsesAtHand : public HttpClient {
 public:
  class Impl;

  ResponsesAtHand(boost::asio::io_context& io, const MemoryShares& memory);

  Result<std::unique_ptr<HttpEndpoint>> open(const EndpointOptions& options) override;
  std::size_t in_flight() const override;
  std::size_t body_bytes() const override;

 private:
  const std::shared_ptr<Impl> impl_;  // shared with the coroutines in flight
};

}  // namespace sessionlogd
