// A CurlClient on an io_context of its own, driven by the test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/http/curl_client.h"
#include "tests/support/test_server.h"

namespace sessionlogd {

namespace asio = boost::asio;
using test::response;
using test::TemporaryFile;
using test::TestServer;
using testing::HasSubstr;
using Endpoint = HttpEndpoint;
using Reply = TestServer::Reply;
using Request = TestServer::Request;
using Then = Reply::Then;

class HttpClientTest : public testing::Test {
 protected:
  using Got = std::optional<Result<HttpResponse>>;
  struct Store {
    void operator()(std::exception_ptr failed, Result<HttpResponse> response) const {
      if (!failed) got = std::move(response);
    }
    Got& got;
  };

  HttpRequest get(std::string target, std::vector<std::string> headers = {}) {
    return HttpRequest(HttpRequest::Method::kGet, std::move(target), std::move(headers));
  }

  static EndpointOptions to(const TestServer& server) {
    EndpointOptions options;
    options.base_url = server.url();
    return options;
  }

  std::unique_ptr<Endpoint> open(const EndpointOptions& options) { return std::move(client_->open(options)).value(); }

  void start(Endpoint& endpoint, HttpRequest request, Got& got) {
    sent_.push_back(std::move(request));
    asio::co_spawn(io_, endpoint.send(sent_.back()), Store{got});
  }

  // One that can be cancelled once it has begun. Before that a coroutine runs nothing of ours, and Boost 1.83 throws
  // out of the io_context.
  struct Cancellable {
    void cancel() {
      if (has_begun) signal.emit(asio::cancellation_type::terminal);
    }

    asio::cancellation_signal signal;
    bool has_begun = false;
    Got got;
  };
  void start(Endpoint& endpoint, HttpRequest request, Cancellable& one) {
    sent_.push_back(std::move(request));
    asio::co_spawn(io_, begin(endpoint, sent_.back(), one.has_begun),
                   asio::bind_cancellation_slot(one.signal.slot(), Store{one.got}));
  }

  // Until nothing is left to do. The limit is for faults only.
  void run() {
    io_.restart();
    io_.run_for(std::chrono::seconds(60));
    ASSERT_TRUE(io_.stopped()) << "still running after a minute";
  }

  template <class Condition>
  void run_until(Condition condition) {
    io_.restart();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "still waiting after a minute";
      io_.run_one_for(std::chrono::milliseconds(5));  // the condition may become true on the server's thread
    }
  }

  Result<HttpResponse> send(Endpoint& endpoint, HttpRequest request) {
    Got got;
    start(endpoint, std::move(request), got);
    run();
    return got ? std::move(*got) : Result<HttpResponse>(Error(ErrorKind::kCancelled, "no result"));
  }

  Error failure(Endpoint& endpoint, HttpRequest request) {
    auto result = send(endpoint, std::move(request));
    return result ? Error(ErrorKind::kCancelled, "it went well") : result.error();
  }

  Error failure(const EndpointOptions& options) {
    auto endpoint = open(options);
    return failure(*endpoint, get("/"));
  }

  std::list<HttpRequest> sent_;
  asio::io_context io_{1};
  std::optional<CurlClient> client_{std::in_place, io_};

 private:
  static Task<Result<HttpResponse>> begin(Endpoint& endpoint, const HttpRequest& request, bool& has_begun) {
    has_begun = true;
    co_return co_await endpoint.send(request);
  }
};

inline Reply hello(const Request&) { return response("hello"); }

}  // namespace sessionlogd
