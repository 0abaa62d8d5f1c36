// An ApiClient against a server of the test, which gives every response that a login, a refresh or a request may get.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "config/load.h"
#include "core/api/api_client.h"
#include "core/http/curl_client.h"
#include "tests/core/captured_log.h"
#include "tests/support/test_server.h"

namespace sessionlogd {

namespace asio = boost::asio;
using test::response;
using test::TemporaryFile;
using test::TestServer;
using testing::HasSubstr;
using Reply = TestServer::Reply;
using Request = TestServer::Request;

inline std::string grant(int number, const std::string& more = "") {
  const std::string n = std::to_string(number);
  return response(R"({"access_token":"access-)" + n + R"(","refresh_token":"refresh-)" + n + "\"" + more + "}");
}

inline Reply unauthorized() { return response("{}", {}, "401 Unauthorized"); }

// The appliance's side. What it was asked is read while no request is on its way.
struct Desk {
  std::function<Reply(int number)> log_in = [](int number) { return grant(number); };
  std::function<Reply(int number)> refresh = [](int number) { return grant(number); };
  std::function<Reply(std::string bearer)> serve = [](std::string) { return response("{}"); };
  std::function<std::optional<Reply>(std::string target)> instead = [](std::string) { return std::nullopt; };

  std::atomic<int> logins = 0, refreshes = 0, gets = 0;
  std::vector<std::string> refresh_forms, returned;

  Reply operator()(const Request& request) {
    const std::string_view authorization = request[boost::beast::http::field::authorization];
    const std::string bearer(authorization.substr(std::min<std::size_t>(authorization.size(), 7)));
    if (request.target() != "/api/v1/token") {
      ++gets;
      if (auto other = instead(std::string(request.target()))) return *other;
      return serve(bearer);
    }
    if (request.method() == boost::beast::http::verb::delete_) {
      returned.push_back(bearer);
      return response("", {}, "204 No Content");
    }
    if (request.body().find("grant_type=refresh_token") == std::string::npos) return log_in(++logins + refreshes);
    refresh_forms.push_back(request.body());
    return refresh(logins + ++refreshes);
  }
};

class ApiClientTest : public testing::Test {
 protected:
  using Got = std::optional<Result<HttpResponse>>;

  ApiClientTest() {
    const auto& built_in = built_in_dialects();
    const auto aws =
        std::find_if(built_in.begin(), built_in.end(), [](const auto& each) { return each.name == "veeam-aws"; });
    settings_.dialect = std::make_shared<Dialect>(std::get<Dialect>(parse_dialect(aws->toml, "veeam-aws.toml")));
    settings_.api_version = settings_.dialect->version.fallback;
    settings_.name = settings_.id = "a";
    settings_.username = "collector";
    settings_.password = Secret::parse("file:" + password_.path());
    settings_.url = server_.url();
    settings_.poll.rate_per_second = 10'000;
  }

  ApiClient& api() {
    if (!api_) api_ = std::make_unique<ApiClient>(io_, http_, settings_, random_, manners_);
    return *api_;
  }

  void start(Got& got, const std::string& target = "/api/v1/sessions") {
    asio::co_spawn(io_, api().get(target), [&got](std::exception_ptr failed, Result<HttpResponse> answered) {
      if (!failed) got = std::move(answered);
    });
  }

  // The limit is for faults only.
  template <class Condition>
  void run_until(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    io_.restart();
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << "still waiting after a minute";
      io_.run_one_for(std::chrono::milliseconds(5));
      most_in_flight_ = std::max(most_in_flight_, http_.in_flight());
    }
  }

  // Longer than what waits looks again.
  void run_for_some_turns() {
    io_.restart();
    io_.run_for(std::chrono::milliseconds(250));
  }

  // `count` at once, to their ends.
  std::vector<Got> get(std::size_t count = 1) {
    std::vector<Got> got(count);
    for (Got& each : got) start(each);
    run_until([&] { return std::all_of(got.begin(), got.end(), [](const Got& each) { return each.has_value(); }); });
    return got;
  }

  Error error_of_get() { return get().front()->error(); }

  Result<HttpResponse> get_from(const std::string& target) {
    Got got;
    start(got, target);
    run_until([&] { return got.has_value(); });
    return *std::move(got);
  }

  void log_out(std::chrono::milliseconds most = std::chrono::seconds(30)) { log_out(api(), most); }
  void log_out(ApiClient& api, std::chrono::milliseconds most) {
    bool ended = false;
    asio::co_spawn(io_, api.log_out(most), [&](std::exception_ptr) { ended = true; });
    run_until([&] { return ended; });
  }

  // In good order; the next api() is another one.
  void leave() {
    api().stop();
    log_out();
    api_.reset();
  }

  Desk desk_;
  TestServer server_{[this](const Request& request) { return desk_(request); }};
  TemporaryFile password_{"secret\n"};
  SourceSettings settings_;
  Manners manners_{.between_logins = std::chrono::milliseconds(0), .doubt = std::chrono::milliseconds(0)};
  CapturedLog log_;
  asio::io_context io_{1};
  CurlClient http_{io_};
  std::mt19937_64 random_{1};
  std::unique_ptr<ApiClient> api_;
  std::size_t most_in_flight_ = 0;
};

}  // namespace sessionlogd
