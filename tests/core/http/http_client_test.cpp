#include "core/http/curl_client.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <future>
#include <random>
#include <thread>

#include "core/async/task.h"
#include "core/http/curl_error.h"
#include "tests/core/http/http_client_fixture.h"
#include "tests/support/seed.h"
#include "tests/support/test_proxy.h"

namespace sessionlogd {
namespace {

using test::TestProxy;
using testing::Not;

const std::string kForm = "a=1&b=%26";

TEST_F(HttpClientTest, GivesTheResponse) {
  TestServer server([](const Request& request) -> Reply {
    EXPECT_EQ(request.method_string(), "GET");
    EXPECT_EQ(request.target(), "/a/../b%20?x=y");
    EXPECT_EQ(request["X-One"], "1");
    return response("{}",
                    {"Content-Type: application/json; charset=utf-8", "Date: Sun, 06 Nov 1994 08:49:37 GMT",
                     "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT"},
                    "429 Too Many Requests");
  });
  auto endpoint = open(to(server));
  const auto got = send(*endpoint, get("/a/../b%20?x=y", {"X-One: 1"}));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->status, 429);
  EXPECT_EQ(got->body.text(), "{}");
  EXPECT_EQ(got->content_type, "application/json; charset=utf-8");
  EXPECT_EQ(got->date, 784'111'777);
  EXPECT_EQ(got->retry_after, std::chrono::seconds(60));
  EXPECT_TRUE(
      std::all_of(got->body.text().end(), got->body.text().end() + Body::kPadding, [](char c) { return c == 0; }));
}

TEST_F(HttpClientTest, ReadsTheFinalResponsesHeadersOnly) {
  TestServer server([](const Request&) -> Reply {
    return Reply(
        "HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\nContent-Type: text/x\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nRetry-After: 9\r\n\r\n");
  });
  auto endpoint = open(to(server));
  const auto got = send(*endpoint, get("/"));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body.text(), "ok");
  EXPECT_EQ(got->content_type, "");
  EXPECT_FALSE(got->retry_after);
}

TEST_F(HttpClientTest, UsesOneConnectionForRequestsInSequence) {
  TestServer server(hello);
  auto endpoint = open(to(server));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(send(*endpoint, get("/" + std::to_string(i))));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests(), 50);
}

TEST_F(HttpClientTest, SendsFormsAndDeletesAndGetsOnTheSameHandle) {
  std::vector<std::string> seen;
  TestServer server([&](const Request& request) -> Reply {
    seen.push_back(std::string(request.method_string()) + " " + request.body() + " " +
                   std::string(request["Content-Type"]));
    return response("");
  });
  auto endpoint = open(to(server));
  ASSERT_TRUE(send(*endpoint, HttpRequest(HttpRequest::Method::kPost, "/", {}, kForm)));
  ASSERT_TRUE(send(*endpoint, get("/")));
  ASSERT_TRUE(send(*endpoint, HttpRequest(HttpRequest::Method::kDelete, "/")));
  ASSERT_TRUE(send(*endpoint, get("/")));
  ASSERT_TRUE(send(*endpoint, HttpRequest(HttpRequest::Method::kPost, "/")));
  EXPECT_THAT(seen, testing::ElementsAre("POST " + kForm + " application/x-www-form-urlencoded", "GET  ", "DELETE  ",
                                         "GET  ", "POST  application/x-www-form-urlencoded"));
}

TEST_F(HttpClientTest, SendsTheEndpointsHeadersUnlessTheRequestHasItsOwn) {
  std::vector<std::string> seen;
  TestServer server([&](const Request& request) -> Reply {
    EXPECT_LE(request.count("Authorization"), 1u);
    seen.push_back(std::string(request["Authorization"]) + "," + std::string(request["X-Api"]) + "," +
                   std::string(request["X-Own"]));
    return response("");
  });
  auto endpoint = open(to(server));
  ASSERT_TRUE(endpoint->set_headers({"Authorization: one", "X-Api: 1"}));
  ASSERT_TRUE(send(*endpoint, get("/")));
  ASSERT_TRUE(send(*endpoint, get("/", {"X-Own: x"})));
  ASSERT_TRUE(send(*endpoint, get("/", {"authorization: mine"})));
  ASSERT_TRUE(send(*endpoint, get("/")));
  ASSERT_TRUE(endpoint->set_headers({"Authorization: two"}));
  ASSERT_TRUE(send(*endpoint, get("/")));
  EXPECT_FALSE(endpoint->set_headers({"Authorization: three\r\nX-Api: forged"}));
  ASSERT_TRUE(send(*endpoint, get("/")));
  EXPECT_THAT(seen, testing::ElementsAre("one,1,", "one,1,x", "mine,1,", "one,1,", "two,,", "two,,"));
}

TEST_F(HttpClientTest, RefusesWhatWouldForgeAHeaderOrAnAddress) {
  TestServer server(hello);
  auto endpoint = open(to(server));
  for (const std::string& line :
       {std::string("X: a\r\nY: b"), std::string("X: a\nY: b"), std::string("X: a\0b", 6), std::string("X")}) {
    EXPECT_EQ(failure(*endpoint, get("/", {line})).kind, ErrorKind::kRefused);
  }
  for (const char* target : {"/a b", "/a\r\nX: y", "a", "@127.0.0.1/"}) {
    EXPECT_EQ(failure(*endpoint, get(target)).kind, ErrorKind::kRefused) << target;
  }
  EXPECT_EQ(server.requests(), 0);
}

TEST_F(HttpClientTest, RefusesOptionsThatCannotBeUsed) {
  const auto refused = [&](auto change) {
    EndpointOptions options;
    options.base_url = "https://127.0.0.1:1";
    change(options);
    const auto opened = client_->open(options);
    return !opened && opened.error().kind == ErrorKind::kRefused;
  };
  EXPECT_FALSE(refused([](EndpointOptions&) {}));
  for (const char* url : {"", "ftp://host", "https://user:pw@host", "https://host/?q", "https://", "host:99999"}) {
    EXPECT_TRUE(refused([&](EndpointOptions& options) { options.base_url = url; })) << url;
  }
  EXPECT_TRUE(refused([](EndpointOptions& options) { options.pin_sha256 = {"abc"}; }));
}

TEST_F(HttpClientTest, HasHundredsInFlight) {
  TestServer server([](const Request& request) -> Reply {
    return response(std::string(request.target()) + std::string(20'000, 'x'));
  });
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  for (int i = 0; i < 4; ++i) endpoints.push_back(open(to(server)));
  std::deque<Got> got(400);
  for (std::size_t round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < got.size(); ++i) start(*endpoints[i % 4], get("/" + std::to_string(i) + "/"), got[i]);
    run();
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(got[i] && *got[i]);
      ASSERT_TRUE((*got[i])->body.text().starts_with("/" + std::to_string(i) + "/x"));
    }
  }
  // A request that starts over, behind a response to another, may take a new one.
  EXPECT_LT(server.connections(), 600) << "they are kept";
  EXPECT_EQ(client_->in_flight(), 0u);
}

// ---- Retry-After

std::string refusal(const std::string& retry_after, const std::string& status = "429 Too Many Requests") {
  return response("{}", {"Retry-After: " + retry_after}, status);
}

TEST_F(HttpClientTest, TellsAWishToWaitBeforeTheResponseIsWhole) {
  TestServer server([](const Request&) -> Reply {
    return Reply("HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 2\r\n\r\n", Then::kKeepAlive, "{}");
  });
  std::vector<std::chrono::seconds> wishes;
  EndpointOptions options = to(server);
  options.on_wish = [&](std::chrono::seconds wait) { wishes.push_back(wait); };
  const auto endpoint = open(options);
  Got got;
  start(*endpoint, get("/"), got);
  run_until([&] { return !wishes.empty(); });
  EXPECT_FALSE(got);
  server.let_go();
  run();
  EXPECT_EQ((*got)->status, 503);
  EXPECT_THAT(wishes, testing::ElementsAre(std::chrono::seconds(9)));
}

TEST_F(HttpClientTest, TakesForAWishToWaitOnlyWhatAsksForSomething) {
  const std::string hint = "HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\n\r\n";
  const std::vector<std::pair<std::string, std::size_t>> cases = {
      {refusal("1"), 1},
      {refusal("3600", "503 Busy"), 1},
      {refusal("5", "301 Moved"), 1},
      {refusal("0"), 0},
      {refusal("-5"), 0},
      {refusal("soon"), 0},
      {refusal("5", "200 OK"), 0},
      {hint + response("{}"), 0},
  };
  for (const auto& [said, wishes] : cases) {
    TestServer server([&said = said](const Request&) -> Reply { return said; });
    std::size_t told = 0;
    EndpointOptions options = to(server);
    options.on_wish = [&](std::chrono::seconds) { ++told; };
    const auto endpoint = open(options);
    Got got;
    start(*endpoint, get("/"), got);
    run();
    EXPECT_TRUE(got && *got) << said;
    EXPECT_EQ(told, wishes) << said;
  }
}

// However late we come to it: what has come is read first.
TEST_F(HttpClientTest, SendsNothingThatItHadNotSentWhenAWishToWaitCame) {
  std::promise<void> go_on;
  std::atomic<bool> is_asked = false;
  TestServer server([&](const Request& request) -> Reply {
    if (request.target() != "/wait") return response("{}");
    is_asked = true;
    go_on.get_future().wait();
    return refusal("7");
  });
  const auto endpoint = open(to(server));
  Got first, second;
  start(*endpoint, get("/a"), first);
  start(*endpoint, get("/b"), second);
  run();  // two connections, so that none need be made
  Got refused, late;
  start(*endpoint, get("/wait"), refused);
  run_until([&] { return is_asked.load(); });
  const int written = server.written();
  go_on.set_value();
  while (server.written() == written) std::this_thread::yield();
  // The response has come, and nobody has looked.
  start(*endpoint, get("/c"), late);
  run();
  EXPECT_EQ((*refused)->status, 429);
  ASSERT_TRUE(late->has_error());
  EXPECT_EQ(late->error().kind, ErrorKind::kCancelled);
  EXPECT_FALSE(late->error().sent);
  EXPECT_EQ(server.requests(), 3);
  start(*endpoint, get("/d"), late);
  run();
  EXPECT_TRUE(late->has_value()) << "for how long is its owner's to say";
}

TEST_F(HttpClientTest, TellsFaultsOfTheNetworkApart) {
  TestServer server([](const Request& request) -> Reply {
    if (request.target() == "/truncated")
      return Reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Then::kClose);
    if (request.target() == "/reset") return Reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Then::kReset);
    if (request.target() == "/loris") return Reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", Then::kSilence);
    if (request.target() == "/nothing") return Reply("", Then::kClose);
    if (request.target() == "/not-http") return Reply("hello, I speak something else\r\n", Then::kClose);
    return Reply("", Then::kSilence);
  });
  EndpointOptions options = to(server);
  const std::string who = "127.0.0.1:" + std::to_string(server.port()) + ": ";
  const auto expect = [&](const char* target, ErrorKind kind, const char* words) {
    auto endpoint = open(options);
    const Error error = failure(*endpoint, get(target));
    EXPECT_EQ(error.kind, kind) << target;
    EXPECT_THAT(error.detail, testing::StartsWith(who)) << target;
    EXPECT_THAT(error.detail, HasSubstr(words)) << target;
  };
  expect("/truncated", ErrorKind::kTryLater, "truncated");
  expect("/reset", ErrorKind::kTryLater, "reset");
  expect("/nothing", ErrorKind::kTryLater, "closed before any response");
  expect("/not-http", ErrorKind::kBadResponse, "not HTTP/1");
  options.timeout = std::chrono::milliseconds(200);
  expect("/silence", ErrorKind::kTryLater, "timed out (timeout is 200 ms)");
  expect("/loris", ErrorKind::kTryLater, "timed out (timeout is 200 ms)");
}

TEST_F(HttpClientTest, SaysThatAConnectionWasRefused) {
  // Nobody else is given the port, and nobody listens there.
  asio::ip::tcp::acceptor taken(io_, asio::ip::tcp::v4());
  taken.bind({asio::ip::address_v4::loopback(), 0});
  EndpointOptions options;
  options.base_url = "http://127.0.0.1:" + std::to_string(taken.local_endpoint().port());
  const Error error = failure(options);
  EXPECT_EQ(error.kind, ErrorKind::kTryLater);
  EXPECT_THAT(error.detail, HasSubstr("Connection refused"));
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
  TestServer server([](const Request&) -> Reply { return response("", {"Location: /elsewhere"}, "302 Found"); });
  auto endpoint = open(to(server));
  const auto got = send(*endpoint, get("/"));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 302);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(HttpClientTest, IgnoresTheEnvironmentsProxyButUsesItsOwn) {
  TestServer server(hello);
  TestServer proxy([](const Request&) -> Reply { return response("from the proxy"); });
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("all_proxy", "http://127.0.0.1:1", 1);
  ::setenv("no_proxy", "*", 1);
  auto direct = open(to(server));
  EXPECT_TRUE(send(*direct, get("/")));
  EndpointOptions options = to(server);
  options.proxy = proxy.url();
  auto proxied = open(options);
  const auto got = send(*proxied, get("/"));
  for (const char* name : {"http_proxy", "all_proxy", "no_proxy"}) ::unsetenv(name);
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->body.text(), "from the proxy");
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(HttpClientTest, CanBeCancelledInMidFlight) {
  TestServer server([](const Request&) -> Reply { return Reply("", Then::kSilence); });
  auto endpoint = open(to(server));
  Cancellable one;
  start(*endpoint, get("/"), one);
  run_until([&] { return server.requests() == 1; });
  EXPECT_EQ(client_->in_flight(), 1u);
  one.cancel();
  run();
  ASSERT_TRUE(one.got && !*one.got);
  EXPECT_EQ(one.got->error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(client_->in_flight(), 0u);
}

// Requests of every kind start, end and are cancelled in random order; each ends once, and the client still works.
TEST_F(HttpClientTest, SurvivesRandomCancellation) {
  std::mt19937_64 random(test::random_seed());
  TestServer server([](const Request& request) -> Reply {
    if (request.target() == "/silence") return Reply("", Then::kSilence);
    if (request.target() == "/large") return response(std::string(3 << 20, 'l'));
    if (request.target() == "/close") return Reply(response("bye"), Then::kClose);
    if (request.target() == "/half") return Reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Then::kSilence);
    return response(std::string(20'000, 'x'));
  });
  const std::array<const char*, 5> targets{"/", "/silence", "/large", "/close", "/half"};
  auto endpoint = open(to(server));
  std::deque<Cancellable> all;
  for (int i = 0; i < 300; ++i) {
    start(*endpoint, get(targets[random() % targets.size()]), all.emplace_back());
    io_.restart();
    for (unsigned turns = random() % 20; turns > 0; --turns) io_.poll_one();
    if (random() % 2 == 0) all[random() % all.size()].cancel();
  }
  run_until([&] { return std::ranges::all_of(all, &Cancellable::has_begun); });
  for (Cancellable& one : all) one.cancel();
  run();
  for (const Cancellable& one : all) EXPECT_TRUE(one.got);
  EXPECT_EQ(client_->in_flight(), 0u);
  EXPECT_EQ(client_->waiting_for_large_body(), 0u);
  EXPECT_TRUE(send(*endpoint, get("/")));
}

TEST_F(HttpClientTest, EndsWhatIsInFlightWhenDestroyed) {
  TestServer server([](const Request&) -> Reply { return Reply("HTTP/1.1 200 OK\r\n\r\nsome", Then::kSilence); });
  auto endpoint = open(to(server));
  std::deque<Got> got(20);
  for (Got& one : got) start(*endpoint, get("/"), one);
  run_until([&] { return server.requests() == 20; });
  client_.reset();
  run();
  for (Got& one : got) {
    ASSERT_TRUE(one && !*one);
    EXPECT_EQ(one->error().kind, ErrorKind::kCancelled);
  }
}

TEST(HttpClient, MayBePendingWhenTheIoContextIsDestroyed) {
  TestServer server([](const Request&) -> Reply { return Reply("HTTP/1.1 200 OK\r\n\r\nsome", Then::kSilence); });
  std::optional<asio::io_context> io(1);
  EndpointOptions options;
  options.base_url = server.url();
  // In the frame of a coroutine, so that the client, its endpoint and a request end with the io_context, in this order
  // of misery.
  auto whole = [](asio::io_context& context, EndpointOptions to) -> Task<void> {
    const HttpRequest request(HttpRequest::Method::kGet, "/");
    CurlClient client(context);
    auto endpoint = std::move(client.open(to)).value();
    for (int i = 0; i < 3; ++i)
      asio::co_spawn(context, endpoint->send(request), [](std::exception_ptr, Result<HttpResponse>) {});
    co_await endpoint->send(request);
  };
  asio::co_spawn(*io, whole(*io, options), [](std::exception_ptr) {});
  while (server.requests() < 4) io->poll_one();
  io.reset();
}

TEST_F(HttpClientTest, BodiesMayOutliveTheClient) {
  TestServer server(hello);
  auto endpoint = open(to(server));
  auto got = send(*endpoint, get("/"));
  ASSERT_TRUE(got);
  endpoint.reset();
  client_.reset();
  EXPECT_EQ(got->body.text(), "hello");
}

TEST(CurlError, SaysWhatToDoAndWhatFailed) {
  struct Row {
    CURLcode code;
    ErrorKind kind;
    const char* words;
  };
  for (const Row& row :
       {Row{CURLE_COULDNT_RESOLVE_HOST, ErrorKind::kTryLater, "resolved"},
        Row{CURLE_COULDNT_CONNECT, ErrorKind::kTryLater, "connect"},
        Row{CURLE_OPERATION_TIMEDOUT, ErrorKind::kTryLater, "timed out"},
        Row{CURLE_PARTIAL_FILE, ErrorKind::kTryLater, "truncated"},
        Row{CURLE_SSL_CONNECT_ERROR, ErrorKind::kTryLater, "TLS"},
        Row{CURLE_PEER_FAILED_VERIFICATION, ErrorKind::kTryLater, "trusted"},
        Row{CURLE_BAD_CONTENT_ENCODING, ErrorKind::kBadResponse, "decoded"},
        Row{CURLE_UNSUPPORTED_PROTOCOL, ErrorKind::kBadResponse, "HTTP/1"},
        Row{CURLE_URL_MALFORMAT, ErrorKind::kRefused, "URL"}, Row{CURLE_AGAIN, ErrorKind::kTryLater, "failed"}}) {
    EXPECT_EQ(classify(row.code).kind, row.kind) << row.code;
    EXPECT_THAT(std::string(classify(row.code).words), HasSubstr(row.words)) << row.code;
  }
}

}  // namespace
}  // namespace sessionlogd
