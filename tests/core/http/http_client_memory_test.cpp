#include "core/http/curl_client.h"

#include <deque>
#include <fstream>

#include "core/http/large_body_permit.h"
#include "tests/core/http/http_client_fixture.h"

namespace sessionlogd {
namespace {

// More than the sockets between client and server can hold: once it is written, the client has read well past
// kSmallBody.
const std::size_t kMoreThanSocketsHold = 48u << 20;

TEST_F(HttpClientTest, ReadsLargeBodiesOneAtATime) {
  const std::string large(4 << 20, 'L'), huge(kMoreThanSocketsHold + 1000, 'H');
  TestServer server([&](const Request& request) -> Reply {
    if (request.target() != "/first") return response(large);
    const std::string whole = response(huge);
    return Reply(whole.substr(0, whole.size() - 1000), Then::kKeepAlive, whole.substr(whole.size() - 1000));
  });
  auto endpoint = open(to(server));
  Got first;
  std::deque<Got> others(3);
  start(*endpoint, get("/first"), first);
  run_until([&] { return server.written() == 1; });
  for (Got& other : others) start(*endpoint, get("/other"), other);
  run_until([&] { return client_->waiting_for_large_body() == 3; });
  EXPECT_FALSE(first);
  server.let_go();
  run_until([&] { return first.has_value(); });
  ASSERT_TRUE(*first);
  EXPECT_EQ((*first)->body.text(), huge);
  for (std::size_t left = others.size(); left > 0; --left) {
    EXPECT_EQ(client_->waiting_for_large_body(), left) << "who reads a body holds the permit until it is freed";
    first.reset();
    run_until([&] { return std::ranges::any_of(others, &Got::has_value); });
    const auto next = std::ranges::find_if(others, &Got::has_value);
    ASSERT_TRUE(**next);
    EXPECT_EQ((**next)->body.text(), large);
    std::swap(first, *next);
    next->reset();
  }
  first.reset();
  run();
}

TEST_F(HttpClientTest, SharesThePermitsOfTheProcessWithOtherClients) {
  const std::string large(4 << 20, 'L');
  TestServer server([&](const Request&) -> Reply { return response(large); });
  const auto in_all = std::make_shared<LargeResponses>(1);
  client_.emplace(io_, MemoryShares(), in_all);
  CurlClient other(io_, MemoryShares(), in_all);
  auto endpoint = open(to(server));
  auto endpoint_of_other = std::move(other.open(to(server))).value();
  auto first = send(*endpoint, get("/"));
  ASSERT_TRUE(first);
  Got second;
  const HttpRequest request = get("/");
  asio::co_spawn(io_, endpoint_of_other->send(request),
                 [&](std::exception_ptr, Result<HttpResponse> answered) { second = std::move(answered); });
  run_until([&] { return other.waiting_for_large_body() == 1; });
  first = Error();
  run();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->body.text(), large);
}

TEST_F(HttpClientTest, SmallBodyThatFindsTheShareSpentWaitsLikeALargeOne) {
  const std::string text(80'000, 's');
  TestServer server([&](const Request&) -> Reply { return response(text); });
  client_.emplace(io_, MemoryShares{.small_bodies = 100'000});
  auto endpoint = open(to(server));
  auto within_share = send(*endpoint, get("/"));
  auto with_permit = send(*endpoint, get("/"));
  ASSERT_TRUE(within_share && with_permit);
  Got third;
  start(*endpoint, get("/"), third);
  run_until([&] { return client_->waiting_for_large_body() == 1; });
  with_permit = Error();
  run();
  ASSERT_TRUE(third && *third);
  EXPECT_EQ((*third)->body.text(), text);
}

// Large ones that wait for the permit, however many, keep no small one from being read.
TEST_F(HttpClientTest, BodiesThatWaitForThePermitLeaveRoomForSmallOnes) {
  const std::string large(4 << 20, 'L'), small(20'000, 's');
  TestServer server([&](const Request& request) -> Reply {
    if (request.target() == "/small") return response(small);
    if (request.target() == "/large") return response(large);
    const std::string endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400000\r\n" + large;
    return Reply(endless, Then::kSilence);
  });
  client_.emplace(io_, MemoryShares{.small_bodies = 4u << 20});
  auto endpoint = open(to(server));
  auto holder = send(*endpoint, get("/large"));
  ASSERT_TRUE(holder);
  std::deque<Got> waiting(12);
  for (std::size_t i = 0; i < waiting.size(); ++i)
    start(*endpoint, get(i % 2 == 0 ? "/large" : "/endless"), waiting[i]);
  run_until([&] { return client_->waiting_for_large_body() == waiting.size(); });
  for (int i = 0; i < 3; ++i) {
    Got got;
    start(*endpoint, get("/small"), got);
    run_until([&] { return got || client_->waiting_for_large_body() > waiting.size(); });
    ASSERT_TRUE(got && *got) << "it waits for the permit";
    EXPECT_EQ((*got)->body.text(), small);
  }
  endpoint->cancel();
  run();
}

std::size_t resident_bytes() {
  std::size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// Their 30 KB that were received would be 30 MB each if they were decoded.
TEST_F(HttpClientTest, BombsThatWaitAreNotDecoded) {
  const std::string bomb = test::gzip(std::string(60u << 20, '\0')), large(4 << 20, 'L');
  TestServer server([&](const Request& request) -> Reply {
    return request.target() == "/bomb" ? response(bomb, {"Content-Encoding: gzip"}) : response(large);
  });
  auto endpoint = open(to(server));
  auto holder = send(*endpoint, get("/large"));
  ASSERT_TRUE(holder);
  const std::size_t before = resident_bytes();
  std::deque<Got> bombs(12);
  for (Got& one : bombs) start(*endpoint, get("/bomb"), one);
  run_until([&] { return client_->waiting_for_large_body() == bombs.size(); });
  EXPECT_LT(resident_bytes() - before, bombs.size() * 3 * kSmallBody);
  endpoint->cancel();
  run();
  for (const Got& one : bombs) EXPECT_TRUE(one && !*one);
}

// A trickle behind a large beginning must not keep all other large bodies waiting for its whole time-out.
TEST_F(HttpClientTest, WhoHasTheLargeBodyPermitAndTricklesLosesItToOthers) {
  const std::string large(4 << 20, 'L');
  TestServer server([&](const Request& request) -> Reply {
    if (request.target() == "/large") return response(large);
    return Reply(response(large).substr(0, large.size() / 2), Then::kSilence);
  });
  client_.emplace(io_, MemoryShares(), std::make_shared<LargeResponses>(1, std::chrono::seconds(1)));
  auto slow = open(to(server)), slow_too = open(to(server)), good = open(to(server));
  Got stuck, stuck_too, read;
  start(*slow, get("/stuck"), stuck);
  run_until([&] { return server.written() == 1; });
  start(*slow_too, get("/stuck"), stuck_too);
  run_until([&] { return slow_too->waits_for_memory(); });
  EXPECT_FALSE(slow->waits_for_memory());
  run_until([&] { return stuck.has_value(); });
  ASSERT_FALSE(*stuck);
  EXPECT_EQ(stuck->error().kind, ErrorKind::kTryLater);
  EXPECT_THAT(stuck->error().detail, HasSubstr("too slowly while others wait"));

  // The next time it asks behind the others.
  stuck.reset();
  start(*slow, get("/stuck"), stuck);
  run_until([&] { return client_->waiting_for_large_body() == 1; });
  start(*good, get("/large"), read);
  run_until([&] { return read || stuck; });
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->body.text(), large);
  EXPECT_TRUE(stuck_too && !*stuck_too);
  read.reset();
  slow->cancel();
  run();
}

// Who waits is not timed out for another's slowness, and goes on when that one is given up. A machine that needs longer
// than the time-out for the rest is given a longer one; who counted the wait would never have enough.
TEST_F(HttpClientTest, WaitingForTheLargeBodyPermitDoesNotCountAsSlowness) {
  std::string text;
  for (int i = 0; text.size() < 4u << 20; ++i) text += std::to_string(i) + '\n';
  TestServer server([&](const Request& request) -> Reply {
    if (request.target() == "/packed") return response(test::gzip(text), {"Content-Encoding: gzip"});
    return Reply(response(std::string(2 * kMoreThanSocketsHold, 'L')).substr(0, kMoreThanSocketsHold), Then::kSilence);
  });
  client_.emplace(io_, MemoryShares(), std::make_shared<LargeResponses>(1, std::chrono::minutes(1)));
  EndpointOptions stuck_options = to(server), quick_options = to(server);
  stuck_options.max_body = 4 * kMoreThanSocketsHold;
  stuck_options.timeout = std::chrono::seconds(60);
  auto stuck_endpoint = open(stuck_options);
  Got quick;
  for (std::chrono::seconds timeout{1}; timeout <= std::chrono::seconds(16) && (!quick || !*quick); timeout *= 2) {
    quick_options.timeout = timeout;
    auto quick_endpoint = open(quick_options);
    Cancellable stuck;
    start(*stuck_endpoint, get("/stuck"), stuck);
    run_until([&, before = server.written()] { return server.written() > before; });
    quick.reset();
    start(*quick_endpoint, get("/packed"), quick);
    run_until([&] { return quick || client_->waiting_for_large_body() == 1; });
    if (!quick) {
      const auto later = std::chrono::steady_clock::now() + timeout + std::chrono::milliseconds(300);
      run_until([&] { return std::chrono::steady_clock::now() > later; });
      EXPECT_FALSE(quick) << "timed out while it waited";
    }
    stuck.cancel();
    run();
    ASSERT_TRUE(stuck.got && !*stuck.got);
  }
  ASSERT_TRUE(quick && *quick) << (quick ? quick->error().detail : "");
  EXPECT_EQ((*quick)->body.text(), text);
}

}  // namespace
}  // namespace sessionlogd
