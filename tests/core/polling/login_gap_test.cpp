// Logins on simulated time: how far apart they come to the source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <vector>

#include "core/api/api_client.h"
#include "core/async/task.h"
#include "tests/support/built_in.h"
#include "tests/support/simulated_http.h"
#include "tests/support/simulated_time.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::chrono::seconds kSlow{10};

// Takes its time for logins, and accepts no token.
class SlowDesk : public test::SimulatedServer {
 public:
  std::vector<SteadyTime> logins;

  Reply response(const HttpRequest& request, const std::vector<std::string>&) override {
    if (request.form.find("grant_type=password") == std::string::npos) return {.status = 401};
    logins.push_back(SteadyClock::now());
    return {.after = kSlow, .status = 200, .body = R"({"access_token":"a","refresh_token":"r"})"};
  }
};

Task<void> ask_again_and_again(ApiClient& api, bool& over) {
  while (!over) {
    const Result<HttpResponse> ignored = co_await api.get("/api/v1/sessions");
    co_await api.sleep_until(SteadyClock::now() + 1s);
  }
}

// How long each of them was on its way cannot be known: it may have come just before it was answered.
TEST(LoginGap, IsThirtySecondsFromTheResponseOfTheLast) {
  asio::io_context io{1};
  SlowDesk desk;
  asio::use_service<test::SimulatedNetwork>(io).attach("https://desk", desk);
  SourceSettings settings;
  settings.name = settings.id = "a";
  settings.dialect = test::built_in_dialect("veeam-aws");
  settings.api_version = settings.dialect->version.fallback;
  settings.url = "https://desk";
  settings.username = "collector";
  ::setenv("SIMULATED_PASSWORD", "secret", 1);
  settings.password = Secret::parse("env:SIMULATED_PASSWORD");
  test::SimulatedHttp http(io);
  std::mt19937_64 random{1};
  ApiClient api(io, http, settings, random, {});
  bool over = false;
  asio::co_spawn(io, ask_again_and_again(api, over), asio::detached);
  test::SimulatedTime time(io, 50ms);
  time.run(5min);
  over = true;
  api.stop();
  time.run(1s);
  ASSERT_GE(desk.logins.size(), 4u);
  for (std::size_t i = 1; i < desk.logins.size(); ++i) EXPECT_GE(desk.logins[i] - desk.logins[i - 1], kSlow + 30s);
}

}  // namespace
}  // namespace sessionlogd
