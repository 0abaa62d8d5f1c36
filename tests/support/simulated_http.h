// HttpClient without a network: requests go to the servers that were attached to the io_context, and their responses
// come back on simulated time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/http/http_client.h"

namespace sessionlogd::test {

class SimulatedServer {
 public:
  struct Reply {
    std::chrono::milliseconds after{0};
    int status = 0;  // 0: no connection could be made
    std::string body{};
    std::optional<std::chrono::seconds> retry_after{};
    std::optional<std::chrono::seconds> clock_ahead{0};  // of the truth, in its Date; nullopt: it sends none
  };

  virtual ~SimulatedServer() = default;
  // What it says to a request that is sent now; `headers` are those of the endpoint.
  virtual Reply response(const HttpRequest& request, const std::vector<std::string>& headers) = 0;
};

// Which server stands at which URL.
class SimulatedNetwork : public boost::asio::execution_context::service {
 public:
  using key_type = SimulatedNetwork;
  static inline boost::asio::execution_context::id id;

  explicit SimulatedNetwork(boost::asio::execution_context& context) : service(context) {}

  // The server must outlive the requests.
  void attach(const std::string& url, SimulatedServer& server) { servers_[url] = &server; }
  SimulatedServer* find(const std::string& url) const {
    const auto found = servers_.find(url);
    return found == servers_.end() ? nullptr : found->second;
  }

 private:
  void shutdown() override {}

  std::map<std::string, SimulatedServer*> servers_;
};

class SimulatedHttp : public HttpClient {
 public:
  class Impl;

  explicit SimulatedHttp(boost::asio::io_context& io);

  // kRefused where no server was attached.
  Result<std::unique_ptr<HttpEndpoint>> open(const EndpointOptions& options) override;
  std::size_t in_flight() const override;
  std::size_t body_bytes() const override;

 private:
  const std::shared_ptr<Impl> impl_;  // shared with the coroutines in flight
};

}  // namespace sessionlogd::test
